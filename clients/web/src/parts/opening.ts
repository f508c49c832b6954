// A report that somebody opens: asked for before its page is made, so that the page is drawn once, with what stands in
// it. A slow tablet feels each drawing more than all that the worker does for it.

import { ask, askEarly, news, standing } from "../tablet.svelte";
import type { Form, Report, Subject, WorkItem } from "../worker/views";

/** The list of work stays no longer than this after a report was pressed. */
const HOLD_MS = 120;

export const subjectOf = ({ template, unit, period }: WorkItem): Subject => ({ template, unit, period });

/** Where news and records stand; records may bring another version of a form. */
export const standsAt = (): string => `${news.count} ${standing.now?.status.catalogue}`;

export class Opening {
  /** The form of the version that the list names. */
  readonly form: Promise<Form>;
  /** Both have come, or it takes too long to be waited for. */
  readonly ready: Promise<void>;
  /** Where the news and the records stood when the report was asked for. */
  readonly after = standsAt();
  /** What has come. */
  came: { form?: Form; report?: Report } = {};
  /** Where a report goes that comes after its page was made. */
  onreport: ((report: Report) => void) | null = null;

  constructor(item: WorkItem) {
    this.form = ask("form", item.template, item.version, { template: item.template, unit: item.unit, period: item.period });
    const report = askEarly<"report">((read) => (this.onreport ? this.onreport(read) : (this.came.report = read)), "report", subjectOf(item));
    const both = Promise.all([this.form.then((form) => (this.came.form = form)), report]);
    this.ready = Promise.race([
      both.then(() => undefined, () => undefined),
      new Promise<void>((waited) => setTimeout(waited, HOLD_MS)),
    ]);
  }
}
