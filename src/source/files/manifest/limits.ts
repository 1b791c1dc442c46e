/** What a manifest may cost. Whoever is beyond it has an unparsable file. */
export const limits: {
  readonly [what in 'bytes' | 'aliases' | 'unfoldedValues' | 'depth' | 'lexemes' | 'problems']: number;
} = {
  /** Bytes of a file. */
  bytes: 5 * 1024 * 1024,
  /** Aliases (`*name`) in a file. */
  aliases: 100,
  /** Values that the aliases of a file stand for, all unfolded: a few aliases of aliases multiply. */
  unfoldedValues: 100_000,
  /** Collections that are open at one place of a text. No object of Kubernetes comes near. */
  depth: 200,
  /**
   * Words, signs and spaces of one document. 5 MiB of Services in one List have two million; more is a text of signs
   * that would take gigabytes.
   */
  lexemes: 3_000_000,
  /** Problems of a file that are told one by one. */
  problems: 100,
};
