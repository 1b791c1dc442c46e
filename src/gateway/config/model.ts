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
}

/** The source of the keys. */
export type JwksConfig =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'inline'; readonly text: string }
  | {
      readonly kind: 'remote';
      readonly url: URL;
      /** Sent with every request for the keys. May be secret, so it is never logged. */
      readonly headers: ReadonlyMap<string, string>;
      /** Timeout of the first request for the keys, in milliseconds. */
      readonly initialTimeout: number;
      /** Age at which the keys are fetched again, by the next token, in milliseconds. */
      readonly refreshInterval: number;
    };
