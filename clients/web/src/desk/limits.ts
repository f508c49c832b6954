// Every maximum and pace of the desks, with its unit and its reason.

/** Answers kept for all people of a device: a province with its areas and communes, every report of it, and a few
    hundred opened figures; the oldest give way. */
export const ANSWERS_MAX = 1_000;
/** Bytes of JSON that are read ahead for one desk in one go: a province of 200 units whose reports are filled needs
    some 13 MB; a larger one is read ahead in part, from the top. */
export const AHEAD_BYTES_MAX = 16_000_000;
/** Units below a desk of which figures are read ahead. */
export const AHEAD_UNITS_MAX = 400;
/** Between what changed and its being read ahead, milliseconds: changes come in crowds, and who looks at the screen
    comes first. */
export const AHEAD_PAUSE_MS = 5_000;
/** Between two answers that are read ahead, milliseconds: neither the server nor the machine of the desk is kept busy
    by what nobody has asked for. A province takes half a minute. */
export const AHEAD_STEP_MS = 100;
/** What was kept of a unit is read again after this long though no report changed: units and duties may have. */
export const AHEAD_STALE_S = 86_400;
