import type { XdsTlsSettings } from '../app/settings.ts';
import { oneOf } from './flag-values.ts';
import { type Flag, type FlagValues, UsageError } from './flags.ts';

export const securityFlags: readonly Flag[] = [
  {
    name: 'xds-tls',
    value: '<off|on|either>',
    default: 'off',
    help: 'TLS on the port of the gateways; either: also plaintext, on the same port, while nodes are moved over',
  },
  { name: 'xds-tls-cert', value: '<file>', help: 'certificate of this server and its intermediates, PEM; read again' },
  { name: 'xds-tls-key', value: '<file>', help: 'its private key, PEM, without a passphrase' },
  { name: 'xds-tls-min-version', value: '<1.2|1.3>', default: '1.3', help: 'oldest version of TLS that is accepted' },
];

/** Decodes the flags about TLS on the port of the gateways. */
export function xdsTlsSettings(flags: FlagValues): XdsTlsSettings {
  const mode = oneOf('xds-tls', flags.text('xds-tls'), ['off', 'on', 'either']);
  const version = oneOf('xds-tls-min-version', flags.text('xds-tls-min-version'), ['1.2', '1.3']);
  const cert = flags.optional('xds-tls-cert');
  const key = flags.optional('xds-tls-key');
  if (mode === 'off') {
    const unused = cert === undefined ? key && 'xds-tls-key' : 'xds-tls-cert';
    if (unused) throw new UsageError(`--${unused} has no effect without TLS: add --xds-tls=on, or either.`);
    return { mode };
  }
  if (!cert || !key) {
    throw new UsageError(`--xds-tls=${mode} needs --xds-tls-cert=<file> and --xds-tls-key=<file>.`);
  }
  return { mode, files: { cert, key }, minVersion: `TLSv${version}` };
}
