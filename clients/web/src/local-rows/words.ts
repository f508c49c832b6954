// The sentences about rows that units add to forms, which come with the first such row or the sheet where they are added.

import en from "../../../../sync-core/messages/catalogues/local-rows.en.ftl";
import vi from "../../../../sync-core/messages/catalogues/local-rows.vi.ftl";
import { learn } from "../words/words.svelte";

learn(vi, en);
