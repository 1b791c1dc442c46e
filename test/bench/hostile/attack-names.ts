/** What hostile clients do in a bench. */
export const attackNames = [
  'sends bytes that are no request',
  'forges its metadata',
  'sends a request of 100 MB',
  'never reads',
  'never answers',
  'refuses everything',
  'subscribes to a million names',
  'holds a million names',
  'floods requests',
  'floods connections',
  'opens 10,000 connections a second',
] as const;

export type AttackName = (typeof attackNames)[number];
