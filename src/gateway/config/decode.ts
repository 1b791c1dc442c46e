import { quoted, shortened } from '../../json/quoted.ts';
import type { HostPort } from '../../net/host-port.ts';
import { headerNameProblem } from '../../net/outbound/request-headers.ts';
import { decodeAuthn } from './decode-authn.ts';
import { configError, fieldsOf, type JsonFields } from './fields.ts';
import type {
  BootstrapConfig,
  JwtAuthnConfig,
  KeySourceConfig,
  ListenerConfig,
  UpstreamConfig,
  XdsSecurity,
} from './model.ts';
import type { Mounts } from './mounts.ts';

/** A valid configuration with its warnings, each of which begins with the path of a field. */
export interface DecodedConfig {
  readonly config: BootstrapConfig;
  readonly warnings: readonly string[];
}

/**
 * Decodes and validates a configuration. An unknown field at the top level is a warning; in `listener` and below it is
 * an error, since it could be meant to restrict access.
 *
 * @throws GatewayError that names the field, the problem and the remedy
 */
export function decodeConfig(json: unknown, mounts: Mounts): DecodedConfig {
  const top = fieldsOf(json, '');
  if (top.value('type') === 'static') {
    throw configError(
      'type',
      '"static" is not supported: targets and rules come from a control plane, never from this file; write "xds" and set xds_address',
    );
  }
  top.word('type', ['xds']);
  const { address, secure } = decodeXdsAddress(top);
  const config: BootstrapConfig = {
    xdsAddress: address,
    xdsSecurity: decodeXdsSecurity(top, secure, mounts),
    metadata: top.stringMap('metadata'),
    altXdsHostname: top.optionalString('alt_xds_hostname'),
    listener: decodeListener(top.object('listener'), mounts),
    upstream: decodeUpstream(top.optionalObject('upstream'), mounts),
  };
  return {
    config,
    warnings: [
      ...unknownFieldWarnings(top),
      ...securityWarnings(config.listener),
      ...upstreamWarnings(config.upstream),
    ],
  };
}

/** `$schema` is for editors: what it names is never fetched. */
const topLevelFields = [
  ...['$schema', 'type', 'xds_address', 'xds_tls', 'xds_token_file', 'xds_token_over_plaintext'],
  ...['metadata', 'alt_xds_hostname', 'listener', 'upstream'],
] as const;

function unknownFieldWarnings(top: JsonFields): readonly string[] {
  const warnings = top
    .unknown(topLevelFields)
    .map(
      (name) => `${shortened(name)}: is not a field known here and is ignored; known are ${topLevelFields.join(', ')}`,
    );
  const schema = top.optionalString('$schema');
  if (schema === undefined || /(^|\/)gateway-config\.schema\.json$/.test(schema)) return warnings;
  const wrong = `$schema: names ${quoted(schema)}, which is not the schema of this file: gateway-config.schema.json`;
  return [...warnings, wrong];
}

function decodeXdsAddress(top: JsonFields): { readonly address: HostPort; readonly secure: boolean } {
  const remedy = 'the address of the control plane, such as "http://kgateway.kgateway-system.svc.cluster.local:9977"';
  const url = URL.parse(top.string('xds_address', remedy));
  const bare = url !== null && `${url.pathname}${url.search}${url.hash}${url.username}${url.password}` === '/';
  const secure = url?.protocol === 'https:';
  if (!bare || (url.protocol !== 'http:' && !secure)) {
    throw configError('xds_address', 'must be http://host:port or https://host:port and nothing more');
  }
  const port = url.port === '' ? { http: 80, https: 443 }[secure ? 'https' : 'http'] : Number(url.port);
  return { address: { host: url.hostname.replace(/^\[|\]$/g, ''), port }, secure };
}

/**
 * Decodes what secures the connection to the control plane. An unknown field of `xds_tls` is an error: a mistyped `ca`
 * must not mean the authorities of the operating system.
 */
function decodeXdsSecurity(top: JsonFields, secure: boolean, mounts: Mounts): XdsSecurity {
  const tls = top.optionalObject('xds_tls');
  const token = pathIn(top, 'xds_token_file', mounts);
  const plaintext = top.value('xds_token_over_plaintext') ?? false;
  if (typeof plaintext !== 'boolean') throw configError('xds_token_over_plaintext', 'must be true or false');
  if (!secure && tls !== undefined) {
    throw configError('xds_tls', 'has no effect on a connection in plaintext: write https:// in xds_address');
  }
  if (!secure && token !== undefined && !plaintext) {
    throw configError(
      'xds_token_file',
      'would be sent in plaintext, and whoever is on the way could use it: write https:// in xds_address, or "xds_token_over_plaintext": true',
    );
  }
  if (!secure) return { tls: undefined, token };
  tls?.only(['ca', 'cert', 'key', 'server_name']);
  const [cert, key] = [tls && pathIn(tls, 'cert', mounts), tls && pathIn(tls, 'key', mounts)];
  if ((cert === undefined) !== (key === undefined)) throw configError('xds_tls', 'cert and key belong together');
  const ca = tls && pathIn(tls, 'ca', mounts);
  return { tls: { ca, cert, key, serverName: tls?.optionalString('server_name') }, token };
}

function pathIn(fields: JsonFields, name: string, mounts: Mounts): string | undefined {
  const path = fields.optionalString(name);
  return path && mounts(path);
}

/** Headers that are passed on: more are a mistake. */
const maxPassedHeaders = 32;

/**
 * Decodes what targets get. An unknown field is an error: a mistyped `ca` must not mean the authorities of the system.
 */
function decodeUpstream(upstream: JsonFields | undefined, mounts: Mounts): UpstreamConfig {
  if (upstream === undefined) return { ca: undefined, headersFile: undefined, passHeaders: [] };
  upstream.only(['ca', 'headers_file', 'pass_headers']);
  const names = upstream.strings('pass_headers').map((name) => name.toLowerCase());
  if (names.length > maxPassedHeaders) {
    throw configError(upstream.path('pass_headers'), `must have at most ${maxPassedHeaders} names`);
  }
  for (const name of names) {
    const problem = headerNameProblem(name);
    if (problem !== undefined)
      throw configError(upstream.path('pass_headers'), `has ${quoted(name)}, which ${problem}`);
  }
  return {
    ca: pathIn(upstream, 'ca', mounts),
    headersFile: pathIn(upstream, 'headers_file', mounts),
    passHeaders: [...new Set(names)],
  };
}

function decodeListener(listener: JsonFields, mounts: Mounts): ListenerConfig {
  switch (listener.word('type', ['sse', 'stdio'])) {
    case 'stdio':
      listener.only(['type']);
      return { type: 'stdio' };
    case 'sse': {
      listener.only(['type', 'host', 'port', 'authn']);
      const host = listener.string('host', 'the address to listen on, such as "0.0.0.0"').replace(/^\[|\]$/g, '');
      const authn = listener.optionalObject('authn');
      return {
        type: 'sse',
        host,
        port: listener.integer('port', 0, 65535),
        authn: authn === undefined ? undefined : decodeAuthn(authn, mounts),
      };
    }
  }
}

/** Warns of settings that are valid but weaken authentication. */
function securityWarnings(listener: ListenerConfig): readonly string[] {
  if (listener.type === 'stdio' || listener.authn === undefined) return [];
  const { issuers, audiences, jwks } = listener.authn;
  const warnings: string[] = [];
  if (audiences.length === 0) {
    warnings.push(
      'listener.authn.audience: is empty, so a token that was made for any other service is accepted here; list the audience of this gateway',
    );
  }
  if (issuers.length === 0) {
    warnings.push('listener.authn.issuer: is empty, so the issuer of a token is not checked; list the issuer');
  }
  const field = plaintextFieldOf(jwks);
  if (field !== undefined) {
    warnings.push(
      `listener.authn.${field}: keys come without TLS, so whoever is on the way can replace them; use https://`,
    );
  }
  return warnings;
}

/** Returns the first field by which keys come without TLS: their URL, or the issuer at which they are discovered. */
function plaintextFieldOf(jwks: JwtAuthnConfig['jwks']): string | undefined {
  const isOne = jwks.kind !== 'by issuer';
  const sources = isOne ? [jwks] : [...jwks.sources.values()];
  const index = sources.findIndex(isPlaintext);
  if (index < 0) return undefined;
  const field = sources[index]?.kind === 'remote' ? 'jwks.url' : 'issuer';
  return isOne ? field : `issuers[${index}].${field}`;
}

/** MCP forbids it (Authorization, Token Passthrough): a target could use the token at this gateway. */
function upstreamWarnings({ passHeaders }: UpstreamConfig): readonly string[] {
  if (!passHeaders.includes('authorization')) return [];
  return [
    'upstream.pass_headers: names authorization, so every target gets the tokens of clients, and may use them elsewhere; give targets tokens of their own with headers_file',
  ];
}

/** Loopback is no exception: who reads this configuration may not be on that machine. */
function isPlaintext(source: KeySourceConfig): boolean {
  if (source.kind === 'remote') return source.url.protocol === 'http:';
  return source.kind === 'discovery' && URL.parse(source.issuer)?.protocol === 'http:';
}
