import type { HostPort } from '../../net/host-port.ts';

/**
 * The static configuration of a gateway, from its file or flag: what Envoy and gRPC call the bootstrap. Every field is
 * validated, and `--mount` is applied to every path.
 */
export interface BootstrapConfig {
  /** The address of the control plane. */
  readonly xdsAddress: HostPort;
  readonly xdsSecurity: XdsSecurity;
  /** Merged into the metadata of the xDS node, with precedence. */
  readonly metadata: ReadonlyMap<string, string>;
  /** `<gateway>.<namespace>.svc.<cluster domain>`: names the Gateway to the control plane. */
  readonly altXdsHostname: string | undefined;
  readonly listener: ListenerConfig;
  readonly upstream: UpstreamConfig;
}

/** Connections and requests to targets. */
export interface UpstreamConfig {
  /** The path of the authorities that certificates of targets are verified by; absent: those of the system. */
  readonly ca: string | undefined;
  /** The path of the headers that are added, by target: secrets. */
  readonly headersFile: string | undefined;
  /** Headers of clients that are passed on, in lower case. */
  readonly passHeaders: readonly string[];
}

/** How the connection to the control plane is secured. Every member but `serverName` is the path of a file. */
export interface XdsSecurity {
  /** Absent: plaintext. */
  readonly tls:
    | {
        /** Authorities of the control plane; absent: those of the operating system. */
        readonly ca: string | undefined;
        readonly cert: string | undefined;
        readonly key: string | undefined;
        /** The name that the certificate of the control plane must have; absent: the host of the address. */
        readonly serverName: string | undefined;
      }
    | undefined;
  /** A token of the ServiceAccount, sent with each stream. */
  readonly token: string | undefined;
}

/** The listener for MCP clients. */
export type ListenerConfig =
  | {
      /** HTTP: the HTTP+SSE transport and Streamable HTTP, on one port. Port 0 binds a free port. */
      readonly type: 'sse';
      readonly host: string;
      readonly port: number;
      /** Without it every caller is anonymous, and every call is denied. */
      readonly authn: JwtAuthnConfig | undefined;
    }
  /** One client on standard input and output, which is always anonymous. */
  | { readonly type: 'stdio' };

/** The verification of tokens. */
export interface JwtAuthnConfig {
  /** The accepted values of `iss`. Empty: any issuer. */
  readonly issuers: readonly string[];
  /** The accepted values of `aud`. Empty: any audience. */
  readonly audiences: readonly string[];
  readonly jwks: JwksConfig;
  /** Accepted clock skew in seconds. Default 60, as in the deployed gateways. */
  readonly clockTolerance?: number | undefined;
  /** What clients are told of this gateway as an OAuth 2.0 resource server. `undefined`: nothing. */
  readonly resource?: ProtectedResource | undefined;
}

/** The gateway as a protected resource (RFC 9728). */
export interface ProtectedResource {
  /** The resource identifier as it was written: the URL at which clients reach the gateway. */
  readonly url: string;
  /** The same for clients at `/sse`, where that is another resource; `undefined`: {@link url} is for all clients. */
  readonly sseUrl?: string | undefined;
  /** The issuers that are URLs, which clients find the metadata of authorization servers by (RFC 8414). */
  readonly authorizationServers: readonly string[];
  /** The scopes that a client should ask for. */
  readonly scopes: readonly string[];
  /** A name for people. */
  readonly name: string | undefined;
  readonly documentation: string | undefined;
}

/** Where the keys are: one source for every issuer, or one for each, whose keys sign for that issuer alone. */
type JwksConfig =
  | KeySourceConfig
  | { readonly kind: 'by issuer'; readonly sources: ReadonlyMap<string, KeySourceConfig> };

/** One source of keys. */
export type KeySourceConfig =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'inline'; readonly text: string }
  | (RemoteKeys & {
      readonly kind: 'remote';
      readonly url: URL;
      /** Sent with every request for the keys. May be secret, so it is never logged. */
      readonly headers: ReadonlyMap<string, string>;
    })
  /** The `jwks_uri` in the metadata of the issuer (RFC 8414, OpenID Connect Discovery 1.0). */
  | (RemoteKeys & { readonly kind: 'discovery'; readonly issuer: string });

/** What is common to keys that come from another machine. Times are in milliseconds. */
interface RemoteKeys {
  /** The path of the authorities that certificates of the issuer are verified by; absent: those that Node has. */
  readonly ca?: string | undefined;
  /** Timeout of the first request for the keys. */
  readonly initialTimeout: number;
  /** Age at which the keys are fetched again. */
  readonly refreshInterval: number;
}
