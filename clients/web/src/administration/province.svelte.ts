// What an administrator sees of the province, read from the server and read again after each change.

import type { Schemas } from "../worker/interface";
import type { Session } from "./session";

export type Unit = Schemas["Unit"];
export type Person = Schemas["PersonLine"];
export type Role = Schemas["Role"];
export type DutyLine = Schemas["Duty"];
export type DutyAdded = Schemas["DutyAdded"];
export type TemplateLine = Schemas["TemplateLine"];

/** What has to be there before anybody can report, in the order it is asked for. */
export type Step = "units" | "form" | "people" | "devices" | "done";

const PAGE = "500";

export class Province {
  name = $state("");
  rehearsal = $state<string | null>(null);
  units = $state.raw<Unit[]>([]);
  people = $state.raw<Person[]>([]);
  forms = $state(0);
  duties = $state(0);

  readonly unitOf = $derived(new Map(this.units.map((unit) => [unit.unit, unit])));
  readonly kinds = $derived([...new Set(this.units.map((unit) => unit.kind))]);
  readonly step: Step = $derived.by(() => {
    if (this.units.length === 0) return "units";
    if (this.forms === 0 || this.duties === 0) return "form";
    if (this.people.length < 2) return "people";
    return this.people.some((person) => person.devices.length > 0) ? "done" : "devices";
  });

  constructor(readonly session: Session) {}

  async read(): Promise<void> {
    const { session } = this;
    const [status, forms, units, people] = await Promise.all([
      session.get("/v1/status"),
      session.get("/v1/templates", { limit: "1" }),
      this.#all<Unit>("/v1/units"),
      this.#all<Person>("/v1/people"),
    ]);
    this.name = status.province_name;
    this.rehearsal = status.rehearsal ?? null;
    this.duties = status.duties.length;
    this.forms = forms.items.length;
    const compare = new Intl.Collator("vi").compare;
    this.units = units.sort((a, b) => compare(a.name, b.name));
    this.people = people.sort((a, b) => compare(a.display, b.display));
  }

  /** Reads the people again: what an administrator changes most. */
  async readPeople(): Promise<void> {
    const compare = new Intl.Collator("vi").compare;
    this.people = (await this.#all<Person>("/v1/people")).sort((a, b) => compare(a.display, b.display));
  }

  readDuties(): Promise<DutyLine[]> {
    return this.#all<DutyLine>("/v1/duties");
  }

  /** The newest version of each form. */
  async readTemplates(): Promise<TemplateLine[]> {
    const all = await this.#all<TemplateLine>("/v1/templates");
    return all.filter((one) => !one.retired && !all.some((other) => other.id === one.id && other.version > one.version));
  }

  async #all<T>(path: "/v1/units" | "/v1/people" | "/v1/duties" | "/v1/templates"): Promise<T[]> {
    const items: T[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.session.get(path, { limit: PAGE, ...(after ? { after } : {}) });
      items.push(...(page.items as T[]));
      if (!page.next) return items;
      after = page.next;
    }
  }
}
