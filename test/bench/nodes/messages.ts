/** What the driver of a bench, its server and its fleet say to one another. */

export type ToServer =
  /** Make one change, which so many nodes are to be told of. */
  | { readonly kind: 'push'; readonly nodes: number }
  /** Make one change, and say when each of so many nodes had it. */
  | { readonly kind: 'time'; readonly nodes: number }
  /** Make one change in a file, and say how long it took from there. */
  | { readonly kind: 'edit-file'; readonly nodes: number }
  /** Say how much memory is in use, once so many responses were acknowledged since the start. */
  | { readonly kind: 'weigh'; readonly acks: number };

export type FromServer =
  | { readonly kind: 'listening'; readonly port: number }
  /** One change, from just before the commit to the last answer. */
  | {
      readonly kind: 'pushed';
      /** Microseconds of CPU, of the whole process, as the operating system counts them. */
      readonly cpu: number;
      readonly milliseconds: number;
      /** Resources encoded and bodies put together, where somebody counts. */
      readonly encodes?: number;
      readonly assemblies?: number;
    }
  /** One change, and the milliseconds from just before the commit to each answer. */
  | { readonly kind: 'timed'; readonly delays: readonly number[] }
  /** One change of a file, from just before it to the last answer. */
  | { readonly kind: 'propagated'; readonly milliseconds: number }
  /** Bytes, after a full collection. */
  | { readonly kind: 'weighed'; readonly resident: number; readonly heap: number };

export type ToFleet =
  /** Connect every node at once. Those that are `knowing` report the versions that an earlier one was told. */
  | { readonly kind: 'connect'; readonly knowing: boolean }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'count' };

export type FromFleet =
  | { readonly kind: 'ready' }
  /** All nodes have their first answer; `bytes` is the size of the largest. */
  | { readonly kind: 'connected'; readonly milliseconds: number; readonly bytes: number }
  | { readonly kind: 'disconnected' }
  /** How many responses came since the last time it was asked, without first answers. */
  | { readonly kind: 'received'; readonly responses: number };

/** How the nodes of a fleet name their Gateway: all the same, or each one of its own. */
export type Naming = 'one-gateway' | 'own-gateways';
