// What the server says of a unit's figures: names for the types of its own document.

import type { Schemas } from "../worker/interface";

export type UnitLine = Schemas["UnitLine"];
export type CoverageLine = Schemas["CoverageLine"];
export type FigureLine = Schemas["FigureLine"];
export type FindingLine = Schemas["FindingLine"];
export type SectionLine = Schemas["SectionLine"];
export type DueUnit = Schemas["DueUnit"];
/** The event `table` of the live line. */
export type Whole = Schemas["RollUpWhole"];
/** The event `change`: lines that replace those of the same code or unit. */
export type Change = Schemas["RollUpChange"];
/** What a desk shows: a report of one period, over everything below a unit. */
export interface Asked {
  template: string;
  period: string;
  unit: string;
}
export type Figures = Schemas["RollUp"];
export type ReportsPage = Schemas["Page_for_ReportLine"];
export type Parts = Schemas["PartsPage"];
export type CellValue = Schemas["CellValue"];
export type RivalLine = Schemas["RivalLine"];
export type ReportAnswer = Schemas["Report"];
