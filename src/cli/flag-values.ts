import { quoted } from '../json/quoted.ts';
import { type HostPort, parseHostPort } from '../net/host-port.ts';
import { UsageError } from './flags.ts';

/** Decoders of flag values. Each throws a UsageError that names the flag and the expected form. */

/** Decodes `host:port`, with an IPv6 host in brackets. An empty host is 0.0.0.0; port 0 selects a free port. */
export function listenAddress(flag: string, text: string): HostPort {
  const address = parseHostPort(text.startsWith(':') ? `0.0.0.0${text}` : text);
  if (address !== undefined) return address;
  throw new UsageError(
    `--${flag} is <host>:<port>, for example 127.0.0.1:0 for a free port (the last is 65535), not ${quoted(text)}`,
  );
}

/** Decodes a duration such as `250ms`, `10s`, `2m` or `1h` into milliseconds. */
export function duration(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw new UsageError(`--${flag} is a number with a unit (ms, s, m, h), for example 10s, not ${quoted(text)}`);
  }
  return Number(match[1]) * unit;
}

/** Decodes a whole number from `min` to `max`. */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`--${flag} is a whole number from ${min} to ${max}, not ${quoted(text)}`);
  }
  return value;
}

/** Decodes one word of an enumeration. */
export function oneOf<const T extends string>(flag: string, text: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw new UsageError(`--${flag} is one of ${words.join(', ')}, not ${quoted(text)}`);
  return word;
}

/** Decodes the name of a namespace: a DNS label (RFC 1123). */
export function namespaceName(flag: string, text: string): string {
  if (text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) return text;
  throw new UsageError(`--${flag} is the name of a namespace, for example default, not ${quoted(text)}`);
}
