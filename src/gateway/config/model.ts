import type { Endpoint } from '../network/resolve.ts';

/** What a gateway's configuration file says, understood. Every field is checked; paths are where the files really lie. */
export interface GatewayConfig {
  /** Where the control plane answers, in plaintext HTTP/2. */
  readonly xdsAddress: Endpoint;
  /** Goes into the node's metadata and overrides what is there. */
  readonly metadata: ReadonlyMap<string, string>;
  /** `<gateway>.<namespace>.svc.<cluster domain>`: names the Gateway to the control plane. */
  readonly altXdsHostname: string | undefined;
  readonly listener: ListenerConfig;
}

/** Where clients connect. */
export type ListenerConfig =
  | {
      /** HTTP: both the HTTP+SSE transport and Streamable HTTP, on one port. Port 0 picks a free one. */
      readonly type: 'sse';
      readonly host: string;
      readonly port: number;
      /** Without it nobody is anybody, and everything is denied. */
      readonly authn: JwtAuthnConfig | undefined;
    }
  /** One client on standard input and output, who never is anybody. */
  | { readonly type: 'stdio' };

/** How a token is verified. */
export interface JwtAuthnConfig {
  /** The token's `iss` is one of these. Empty: any issuer. */
  readonly issuers: readonly string[];
  /** The token's `aud` names one of these. Empty: any audience. */
  readonly audiences: readonly string[];
  readonly jwks: JwksConfig;
}

/** Where the keys are. */
export type JwksConfig =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'inline'; readonly text: string }
  | {
      readonly kind: 'remote';
      readonly url: URL;
      /** Sent with every request for the keys; may be secret, so never logged. */
      readonly headers: ReadonlyMap<string, string>;
      /** Milliseconds that the first request for the keys may take. */
      readonly initialTimeout: number;
      /** Milliseconds after which keys are asked for again, when a token comes. */
      readonly refreshInterval: number;
    };
