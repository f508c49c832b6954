// What begins before anything else of the page: the worker, which has its own way to go.

import "./policy";
import { start } from "./tablet.svelte";

start();
