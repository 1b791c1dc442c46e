import { quoted, shortened } from '../../json/quoted.ts';
import type { HostPort } from '../../net/host-port.ts';
import { decodeAuthn } from './decode-authn.ts';
import { configError, fieldsOf, type JsonFields } from './fields.ts';
import type { BootstrapConfig, ListenerConfig } from './model.ts';
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
  const config: BootstrapConfig = {
    xdsAddress: decodeXdsAddress(top),
    metadata: top.stringMap('metadata'),
    altXdsHostname: top.optionalString('alt_xds_hostname'),
    listener: decodeListener(top.object('listener'), mounts),
  };
  return { config, warnings: [...unknownFieldWarnings(top), ...securityWarnings(config.listener)] };
}

/** `$schema` is for editors: what it names is never fetched. */
const topLevelFields = ['$schema', 'type', 'xds_address', 'metadata', 'alt_xds_hostname', 'listener'] as const;

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

function decodeXdsAddress(top: JsonFields): HostPort {
  const remedy = 'the address of the control plane, such as "http://kgateway.kgateway-system.svc.cluster.local:9977"';
  const url = URL.parse(top.string('xds_address', remedy));
  if (url?.protocol === 'https:')
    throw configError('xds_address', 'TLS is not supported on this connection: write http://');
  const bare = url !== null && `${url.pathname}${url.search}${url.hash}${url.username}${url.password}` === '/';
  if (!bare || url.protocol !== 'http:') throw configError('xds_address', 'must be http://host:port and nothing more');
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? 80 : Number(url.port) };
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
  if (jwks.kind === 'remote' && jwks.url.protocol === 'http:') {
    warnings.push(
      'listener.authn.jwks.url: keys come without TLS, so whoever is on the way can replace them; use https://',
    );
  }
  return warnings;
}
