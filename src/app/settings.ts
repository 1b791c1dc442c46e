import type { ClusterAccess } from '../kube/kube.ts';
import type { HostPort } from '../net/host-port.ts';
import type { TlsFiles } from '../net/tls/server-certificate.ts';
import type { DebounceOptions } from '../rate/debounce.ts';

/** Which process writes statuses and Events into the cluster. */
export type StatusWriting =
  /** The replica that holds the Lease. Default namespace of the Lease: the pod's own, else `kgateway-system`. */
  | { readonly by: 'leader'; readonly leaseNamespace: string | undefined }
  /** This process, without an election. */
  | { readonly by: 'this-process' }
  | { readonly by: 'none' };

/** Reads manifests from files and folders. When two define the same object, the first one in this order is used. */
export interface FileInputSettings {
  readonly from: 'files';
  readonly filenames: readonly string[];
  readonly debounce: DebounceOptions;
  /** Milliseconds that a file has to stand still after it was written in place. */
  readonly settle: number;
}

/** Watches the API server of a cluster. */
export interface ClusterInputSettings {
  readonly from: 'cluster';
  readonly access: ClusterAccess;
  readonly statusWriting: StatusWriting;
  readonly debounce: DebounceOptions;
}

/** The source of the resources. `debounce`: each burst of changes becomes one commit. */
export type InputSettings = FileInputSettings | ClusterInputSettings;

/** TLS on the port of the gateways. `either`: plaintext as well, told apart by the first byte of a connection. */
export type XdsTlsSettings =
  | { readonly mode: 'off' }
  | { readonly mode: 'on' | 'either'; readonly files: TlsFiles; readonly minVersion: 'TLSv1.2' | 'TLSv1.3' };

/** What a node proves before it is served. `either of` what is present. */
export type XdsAuthSettings =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'required';
      readonly tokens: TokenSettings | undefined;
      readonly certificates: { readonly trustDomain: string } | undefined;
    };

/** How tokens are verified: by the API server (TokenReview), or with the keys of an issuer. */
export interface TokenSettings {
  readonly audience: string;
  readonly keys: { readonly location: string; readonly issuer: string } | undefined;
}

/** What clients of the debug, metrics and admin listeners prove, where these are bound elsewhere than on loopback. */
export type DebugAuthSettings =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly files: TlsFiles; readonly minVersion: 'TLSv1.2' | 'TLSv1.3' };

/** Settings of the control plane (`gatehouse serve`). */
export interface ServeSettings {
  readonly input: InputSettings;
  /** Name of this process among its replicas: the pod's name, else the host name of the machine. */
  readonly replica: string;
  /** Where the traces of commits are posted, as OTLP/HTTP; absent: nowhere. */
  readonly tracesUrl?: string | undefined;
  /** Namespaces to read; all when empty. */
  readonly namespaces: readonly string[];
  readonly xdsListen: HostPort;
  readonly xdsTls: XdsTlsSettings;
  readonly xdsAuth: XdsAuthSettings;
  readonly debugAuth: DebugAuthSettings;
  readonly debugListen: HostPort;
  readonly metricsListen: HostPort;
  readonly adminListen: HostPort;
  /** The `spec.controllerName` of the GatewayClasses that this control plane implements. */
  readonly controllerName: string;
  readonly clusterDomain: string;
  readonly externalNameServices: boolean;
  readonly allowLoopbackTargets: boolean;
  /** Which `jwks.uri` are fetched beside public ones of https. */
  readonly keyFetching: { readonly allowHttp: boolean; readonly allowPrivate: boolean };
  /** Milliseconds after the stop until open streams are reset. */
  readonly shutdownGrace: number;
  /** Milliseconds that a node may take to ACK or NACK a response. */
  readonly ackTimeout: number;
  /** Maximum size of one request, in bytes. */
  readonly receiveLimit: number;
  readonly maxStreamsPerSecond: number;
  readonly maxConnections: number;
  readonly maxStreamsPerConnection: number;
  /**
   * `age`: milliseconds after which a node is asked to reconnect (0: never). `grace`: milliseconds from then until its
   * stream ends.
   */
  readonly connectionAge: { readonly age: number; readonly grace: number };
}
