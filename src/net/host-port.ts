import { isIPv6 } from 'node:net';

/** The address of a listener or of a peer. */
export interface HostPort {
  /** A name or an address; an IPv6 address has no brackets. */
  readonly host: string;
  /** 0 to 65,535; 0 lets a listener choose one that is free. */
  readonly port: number;
}

/** Parses `host:port`, `address:port` or `[address]:port`; undefined when the text is none of these. */
export function parseHostPort(text: string): HostPort | undefined {
  const { bracketed, name, digits } =
    /^(?:\[(?<bracketed>[^[\]]+)\]|(?<name>[A-Za-z0-9._-]+)):(?<digits>\d{1,5})$/.exec(text)?.groups ?? {};
  const port = Number(digits);
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  const host = bracketed ?? name;
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Formats `host:port` as in a URL: an IPv6 address is in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
