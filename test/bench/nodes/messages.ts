/** Messages to a server process. Each asks for one change of one target, but for `measure-memory`. */
export type ToServer =
  /** Measure CPU and time until this many nodes have acknowledged the change. */
  | { readonly kind: 'push'; readonly nodes: number }
  /** Measure the time until the ACK of each of this many nodes. */
  | { readonly kind: 'time-acks'; readonly nodes: number }
  /** Make the change in a file, and measure the time from there to the last of this many ACKs. */
  | { readonly kind: 'edit-file'; readonly nodes: number }
  /** Measure memory once this many responses have been acknowledged since the start. */
  | { readonly kind: 'measure-memory'; readonly acks: number };

/** Messages from a server process. */
export type FromServer =
  | { readonly kind: 'listening'; readonly port: number }
  /** From just before the commit to the last ACK. */
  | {
      readonly kind: 'pushed';
      /** Microseconds of CPU of the whole process, user and system. */
      readonly cpu: number;
      readonly milliseconds: number;
      /** Resources encoded and response bodies built, if the server counts them. */
      readonly encodes?: number;
      readonly assemblies?: number;
    }
  /** Milliseconds from just before the commit to each ACK. */
  | { readonly kind: 'ack-delays'; readonly delays: readonly number[] }
  /** From just before the edit of the file to the last ACK. */
  | { readonly kind: 'propagated'; readonly milliseconds: number }
  /** Bytes, after a full collection. */
  | { readonly kind: 'memory'; readonly resident: number; readonly heap: number };

/** Messages to a fleet process. */
export type ToFleet =
  /**
   * Connect all nodes at once; `reporting`: with the versions of the first response as initial resource versions;
   * `tokens`: one for each node.
   */
  | { readonly kind: 'connect'; readonly reporting: boolean; readonly tokens?: readonly string[] }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'count-responses' };

/** Messages from a fleet process. */
export type FromFleet =
  | { readonly kind: 'ready' }
  /** Every node has its first response; `bytes` is the size of the largest. */
  | { readonly kind: 'connected'; readonly milliseconds: number; readonly bytes: number }
  | { readonly kind: 'disconnected' }
  /** Responses since the last `count-responses`, without first responses. */
  | { readonly kind: 'received'; readonly responses: number };

/** The Gateways that the nodes of a fleet belong to. */
export type GatewayAssignment = 'one-gateway' | 'own-gateways';
