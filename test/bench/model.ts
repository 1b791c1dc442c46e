/**
 * One subject that is measured: a module `test/bench/<name>.ts` exports one, and `test/bench.ts` lists it. What must
 * hold is counted and reported as broken; times are printed for people and never judged.
 */
export interface Bench {
  readonly name: string;
  /** Measures, and says meanwhile what it is at. */
  run(progress: (what: string) => void): Promise<BenchResult>;
}

export interface BenchResult {
  readonly tables: readonly Table[];
  /** The counts that were not as they must be, one sentence each; any of them makes the whole run fail. */
  readonly broken: readonly string[];
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly name: string;
  /** By column. The name of a column says the unit; columns stand in the order in which they first come up. */
  readonly figures: Readonly<Record<string, number>>;
}
