import type { SendLimits } from './send-budget.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/**
 * The limits of what nodes may demand; the table is in `docs/limits.md`, the reasons in decision 0007. A stream beyond
 * a limit ends with the gRPC status that is named there.
 */
export interface Limits {
  /** Connections open at once, three quarters of them of one address; one beyond is reset. Default 20,000. */
  readonly maxConnections: number;
  /** HTTP/2 MAX_CONCURRENT_STREAMS of a connection (RFC 9113, section 5.1.2); REFUSED_STREAM beyond. Default 100. */
  readonly maxStreamsPerConnection: number;
  /** Streams open at once, three quarters of them of one address; RESOURCE_EXHAUSTED beyond. Default `maxConnections`. */
  readonly maxStreams: number;
  /**
   * New streams a second. As many may start at once, and as many more may wait, in a fair queue by address;
   * RESOURCE_EXHAUSTED beyond. As many connections may wait to be accepted; one beyond is reset. Default 2,000.
   */
  readonly maxStreamsPerSecond: number;
  /** Connections a second that one address may open while changes are sent; the others wait. Default 125. */
  readonly busyAcceptRate: number;
  /** Connections that one address may open at once while changes are sent. Default 1,000. */
  readonly busyAcceptBurst: number;
  /**
   * Streams a second that one address may open on connections that have had one; beyond, the connection gets GOAWAY with
   * ENHANCE_YOUR_CALM. Default 125.
   */
  readonly furtherStreamRate: number;
  /** Such streams that one address may open at once. Default 1,000. */
  readonly furtherStreamBurst: number;
  /** Bytes of one request; RESOURCE_EXHAUSTED beyond. Default 32 MiB. */
  readonly maxRequest: number;
  /** Bytes that the names of one subscription take, estimated; RESOURCE_EXHAUSTED beyond. Default 2 MiB. */
  readonly maxSubscription: number;
  /** Bytes that the names of all subscriptions take, three quarters of them of one address. Default 128 MiB. */
  readonly maxSubscriptions: number;
  /**
   * Bytes of the names and versions that a node reports, estimated, beyond 512 for each resource that exists;
   * RESOURCE_EXHAUSTED beyond. Default 16 MiB.
   */
  readonly maxInitialVersions: number;
  /** Bytes of unfinished requests; the stream with the most ends RESOURCE_EXHAUSTED. Default 256 MiB. */
  readonly maxUnfinishedRequests: number;
  /** Unregistered types that one stream may request; RESOURCE_EXHAUSTED beyond. Default 32. */
  readonly maxUnknownTypes: number;
  /** Bytes of a response; a larger delta is split, a larger resource sent and logged. Default 4 MiB, as gRPC. */
  readonly maxResponse: number;
  /** Bytes of large responses that are for one stream alone; others wait before they are built. */
  readonly send: SendLimits;
  /** Milliseconds for the first request, and for the ACK of a response; DEADLINE_EXCEEDED then. Default 30,000. */
  readonly ackTimeout: number;
  /** Milliseconds for the first bytes of a connection; it is reset then. Default 10,000. */
  readonly prefaceTimeout: number;
  /** Milliseconds that a node has to read the end of its stream; then the stream is reset. Default 5,000. */
  readonly linger: number;
}

/** The defaults that docs/limits.md lists. */
export const defaultLimits: Omit<Limits, 'send'> = {
  maxConnections: 20_000,
  maxStreamsPerConnection: 100,
  maxStreams: 20_000,
  maxStreamsPerSecond: 2_000,
  busyAcceptRate: 125,
  busyAcceptBurst: 1_000,
  furtherStreamRate: 125,
  furtherStreamBurst: 1_000,
  maxRequest: 32 * mebibyte,
  maxSubscription: 2 * mebibyte,
  maxSubscriptions: 128 * mebibyte,
  maxInitialVersions: 16 * mebibyte,
  maxUnfinishedRequests: 256 * mebibyte,
  maxUnknownTypes: 32,
  maxResponse: 4 * mebibyte,
  ackTimeout: 30_000,
  prefaceTimeout: 10_000,
  linger: 5_000,
};

/** The limits of unary calls, such as health checks. */
export const unaryCallLimits: {
  readonly maxConcurrent: number;
  readonly maxRequest: number;
  readonly requestTimeout: number;
} = {
  /** Calls open at once, three quarters of them of one address; RESOURCE_EXHAUSTED beyond. */
  maxConcurrent: 1_000,
  /** Bytes of the request; RESOURCE_EXHAUSTED beyond. */
  maxRequest: kibibyte,
  /** Milliseconds for the request; DEADLINE_EXCEEDED then. */
  requestTimeout: 30_000,
};
