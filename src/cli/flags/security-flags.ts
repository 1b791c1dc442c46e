import type {
  DebugAuthSettings,
  InputSettings,
  ServeSettings,
  TokenSettings,
  XdsAuthSettings,
  XdsTlsSettings,
} from '../../app/settings.ts';
import { quoted } from '../../json/quoted.ts';
import { oneOf } from '../flag-values.ts';
import { type Flag, type FlagValues, UsageError } from '../flags.ts';

/** The flags that say who may connect, and how. */
export const securityFlags: readonly Flag[] = [
  {
    name: 'xds-tls',
    value: '<off|on|either>',
    default: 'off',
    help: 'TLS on the port of the gateways; either: also plaintext, on the same port, while nodes are moved over',
  },
  { name: 'xds-tls-cert', value: '<file>', help: 'certificate of this server and its intermediates, PEM; read again' },
  { name: 'xds-tls-key', value: '<file>', help: 'its private key, PEM, without a passphrase' },
  { name: 'xds-tls-client-ca', value: '<file>', help: 'authorities of client certificates, PEM; for --xds-auth=mtls' },
  { name: 'xds-tls-min-version', value: '<1.2|1.3>', default: '1.3', help: 'oldest version of TLS that is accepted' },
  {
    name: 'xds-auth',
    value: '<none|token|mtls>',
    repeatable: true,
    default: 'none',
    help: 'what a node proves: a token of its ServiceAccount, a client certificate, or either of them (token,mtls)',
  },
  { name: 'xds-auth-audience', value: '<name>', default: 'gatehouse', help: 'audience that tokens must be for' },
  {
    name: 'xds-auth-jwks',
    value: '<file or https URL>',
    help: 'verify tokens with these keys instead of asking the API server; with --xds-auth-issuer',
  },
  { name: 'xds-auth-issuer', value: '<issuer>', help: 'issuer of tokens that are verified with keys' },
  {
    name: 'xds-auth-trust-domain',
    value: '<domain>',
    default: 'cluster.local',
    help: 'trust domain of SPIFFE ids in client certificates',
  },
  {
    name: 'debug-auth',
    value: '<none|token>',
    default: 'none',
    help: 'token: debug, metrics and admin listeners outside of loopback demand TLS and a token of the cluster',
  },
];

/** Decodes the flags about who may connect to the port of the gateways, and how. */
export function securitySettings(
  flags: FlagValues,
  input: InputSettings,
): Pick<ServeSettings, 'xdsTls' | 'xdsAuth' | 'debugAuth'> {
  const xdsAuth = xdsAuthSettings(flags, input);
  const debugAuth = debugAuthSettings(flags, input);
  return { xdsAuth, debugAuth, xdsTls: xdsTlsSettings(flags, xdsAuth, debugAuth) };
}

function xdsTlsSettings(flags: FlagValues, auth: XdsAuthSettings, debug: DebugAuthSettings): XdsTlsSettings {
  const mode = oneOf('xds-tls', flags.text('xds-tls'), ['off', 'on', 'either']);
  const version = oneOf('xds-tls-min-version', flags.text('xds-tls-min-version'), ['1.2', '1.3']);
  const cert = flags.optional('xds-tls-cert');
  const key = flags.optional('xds-tls-key');
  const clientCa = flags.optional('xds-tls-client-ca');
  const mutual = auth.kind === 'required' && auth.certificates !== undefined;
  if (mutual && (mode === 'off' || !clientCa)) {
    throw new UsageError('--xds-auth=mtls needs --xds-tls=on, or either, and --xds-tls-client-ca=<file>.');
  }
  if (clientCa && !mutual) throw new UsageError('--xds-tls-client-ca has no effect without --xds-auth=mtls.');
  if (mode === 'off') {
    const unused = cert === undefined ? key && 'xds-tls-key' : 'xds-tls-cert';
    if (unused && debug.kind === 'none')
      throw new UsageError(`--${unused} has no effect without TLS: add --xds-tls=on, or either.`);
    return { mode };
  }
  if (!cert || !key) {
    throw new UsageError(`--xds-tls=${mode} needs --xds-tls-cert=<file> and --xds-tls-key=<file>.`);
  }
  return { mode, files: { cert, key, ...(clientCa && { clientCa }) }, minVersion: `TLSv${version}` };
}

function debugAuthSettings(flags: FlagValues, input: InputSettings): DebugAuthSettings {
  const kind = oneOf('debug-auth', flags.text('debug-auth'), ['none', 'token']);
  if (kind === 'none') return { kind };
  const version = oneOf('xds-tls-min-version', flags.text('xds-tls-min-version'), ['1.2', '1.3']);
  const cert = flags.optional('xds-tls-cert');
  const key = flags.optional('xds-tls-key');
  if (!cert || !key) {
    throw new UsageError(
      '--debug-auth=token needs --xds-tls-cert=<file> and --xds-tls-key=<file>: tokens go over TLS only.',
    );
  }
  if (input.from === 'files') throw new UsageError('--debug-auth=token asks the API server of a cluster: remove -f.');
  return { kind, files: { cert, key }, minVersion: `TLSv${version}` };
}

function xdsAuthSettings(flags: FlagValues, input: InputSettings): XdsAuthSettings {
  const ways = flags.list('xds-auth').flatMap((text) => text.split(','));
  const modes = new Set(ways.map((way) => oneOf('xds-auth', way, ['none', 'token', 'mtls'])));
  const keys = keySettings(flags);
  if (keys !== undefined && !modes.has('token')) {
    throw new UsageError('--xds-auth-jwks has no effect without --xds-auth=token.');
  }
  if (modes.has('none')) {
    if (modes.size > 1) throw new UsageError('--xds-auth=none stands alone: with it nobody proves anything.');
    return { kind: 'none' };
  }
  const certificates = { trustDomain: domainName('xds-auth-trust-domain', flags.text('xds-auth-trust-domain')) };
  return {
    kind: 'required',
    tokens: modes.has('token') ? tokenSettings(flags, keys, input) : undefined,
    certificates: modes.has('mtls') ? certificates : undefined,
  };
}

function tokenSettings(flags: FlagValues, keys: TokenSettings['keys'], input: InputSettings): TokenSettings {
  if (keys === undefined && input.from === 'files') {
    throw new UsageError(
      '--xds-auth=token asks the API server of a cluster; for files, give --xds-auth-jwks=<file or https URL>.',
    );
  }
  return { audience: flags.text('xds-auth-audience'), keys };
}

function keySettings(flags: FlagValues): TokenSettings['keys'] {
  const location = flags.optional('xds-auth-jwks');
  const issuer = flags.optional('xds-auth-issuer');
  if (!location && !issuer) return undefined;
  if (!location || !issuer) {
    throw new UsageError('--xds-auth-jwks=<file or https URL> and --xds-auth-issuer=<issuer> belong together.');
  }
  if (/^(?!https:)[a-z]+:\/\//i.test(location)) {
    throw new UsageError('--xds-auth-jwks is a file or an https URL: keys that come in plaintext can be exchanged.');
  }
  return { location, issuer };
}

function domainName(flag: string, text: string): string {
  if (/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(text)) return text;
  throw new UsageError(`--${flag} is a domain, for example cluster.local, not ${quoted(text)}`);
}
