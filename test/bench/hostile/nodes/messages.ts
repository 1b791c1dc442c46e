/** The attacks of the hostile bench, as `--attack` and the printed table call them. */
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

/** Messages to the process of the attackers. */
export type ToAttacker =
  /** Stops the current attack, if there is one, and starts this one. */
  { readonly kind: 'attack'; readonly name: AttackName } | { readonly kind: 'stop' };

/** Messages from the process of the attackers. */
export type FromAttacker = { readonly kind: 'ready' } | { readonly kind: 'attacking' } | { readonly kind: 'stopped' };
