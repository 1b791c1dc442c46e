/** The status that ends a stream. A node backs off from every one of them but OK. */
export interface StreamEnd {
  readonly code: EndCode;
  /** For whoever reads the node's log. */
  readonly message: string;
}

/** The status codes with which this server ends streams on purpose (rules G1, G2, G9). */
export type EndCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** How a stream came to its end: a status of ours, or the other side's doing. */
export type Ending = EndCode | 'OK' | 'CANCELLED';
