/** What hostile clients do in a bench. */
export const attackNames = [
  'sends bytes that are no request',
  'never reads',
  'never answers',
  'refuses everything',
  'subscribes to a million names',
  'floods requests',
  'floods connections',
] as const;

export type AttackName = (typeof attackNames)[number];
