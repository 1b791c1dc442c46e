import type { AttackName } from './attack-names.ts';

/** What the driver of a bench and its hostile clients say to one another. */

export type ToHostile =
  /** Begin an attack, and end the one before. */
  { readonly kind: 'attack'; readonly name: AttackName } | { readonly kind: 'relent' };

export type FromHostile = { readonly kind: 'ready' } | { readonly kind: 'attacking' } | { readonly kind: 'relented' };
