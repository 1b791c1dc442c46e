/**
 * One benchmark: a module in `test/bench` exports one and `test/bench.ts` lists it. Counts that must hold are checked and
 * reported in `broken`; times and sizes are printed, never checked.
 */
export interface Bench {
  readonly name: string;
  /** @param progress receives a line for the person who waits */
  run(progress: (line: string) => void, selection: BenchSelection): Promise<BenchResult>;
}

/** Restrictions from the command line; only some benches have them. */
export interface BenchSelection {
  /** Names of attacks; empty selects all. */
  readonly attacks: readonly string[];
  /** Rounds, per attack where there are attacks. Default: the bench's own number. */
  readonly rounds: number | undefined;
  /** Seconds until what an attack has left over is counted. Default: the bench's own number. */
  readonly settle: number | undefined;
}

export interface BenchResult {
  readonly tables: readonly Table[];
  /** Counts that differ from what they must be, a sentence each. Any of them fails the run. */
  readonly broken: readonly string[];
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Lines that are printed below the table. */
  readonly notes?: readonly string[];
}

export interface Row {
  readonly name: string;
  /** Values by column. A column's name contains the unit; columns are printed in the order of their first use. */
  readonly figures: Readonly<Record<string, number>>;
}
