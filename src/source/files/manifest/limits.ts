/** Limits of a manifest file. A file beyond them is invalid as a whole. */
export const limits: {
  readonly [what in
    | 'bytes'
    | 'aliases'
    | 'unfoldedValues'
    | 'depth'
    | 'lexemes'
    | 'diagnostics'
    | 'parseTime'
    | 'parseMemory']: number;
} = {
  /** Bytes of a file. */
  bytes: 5 * 1024 * 1024,
  /** Aliases (`*name`) in a file. */
  aliases: 100,
  /** Values that the aliases of a file expand to: a few aliases of aliases multiply ("billion laughs"). */
  unfoldedValues: 100_000,
  /** Nested collections, far more than any Kubernetes object has. */
  depth: 200,
  /** Tokens of the lexer per document. 5 MiB of Services in one List have two million; more would take gigabytes. */
  lexemes: 3_000_000,
  /** Diagnostics of a file that are listed one by one. */
  diagnostics: 100,
  /** Milliseconds of processor time that a worker may take for one file. 5 MiB of Services take 2 to 4 seconds. */
  parseTime: 5000,
  /** MiB of heap that a worker may take for one file. 2 MiB of Services in one List, or 5 MiB of them in documents, fit. */
  parseMemory: 256,
};
