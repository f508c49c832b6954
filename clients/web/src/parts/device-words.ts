// The sentences of the sheets about this device, which come with them.

import en from "../../../../sync-core/messages/catalogues/device.en.ftl";
import vi from "../../../../sync-core/messages/catalogues/device.vi.ftl";
import { learn } from "../words/words.svelte";

learn(vi, en);
