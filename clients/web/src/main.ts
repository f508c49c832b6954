// Starts the page; the service worker makes every later start work without a server.

import "./begin";
import { mount } from "svelte";
import App from "./App.svelte";
import "./tokens.css";
import "./app.css";
import { keepApp } from "./parts/update.svelte";
import { chosen, speak } from "./words/words.svelte";

const target = document.getElementById("app");
void speak(chosen()).then(() => {
  if (target) mount(App, { target });
});
void keepApp();
