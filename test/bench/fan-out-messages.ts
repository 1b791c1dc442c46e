/** What the driver and its processes say to one another. */

export type ToServer = { readonly kind: 'push'; readonly nodes: number };

export type FromServer =
  | { readonly kind: 'listening'; readonly port: number }
  /** One change, from just before the commit to the last answer. */
  | {
      readonly kind: 'pushed';
      /** Microseconds of CPU, of the whole process, as the operating system counts them. */
      readonly cpu: number;
      readonly milliseconds: number;
    };

/** All nodes have their first answer; `bytes` is its size. */
export type FromFleet =
  | { readonly kind: 'connected'; readonly milliseconds: number; readonly bytes: number }
  /** How many responses came since the last time it was asked. */
  | { readonly kind: 'received'; readonly responses: number };

export type ToFleet = { readonly kind: 'count' };
