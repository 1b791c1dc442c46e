import { quoted } from '../request/bounded-text.ts';

/** A host name or role that names a Gateway, or why it does not. */
export type Reading =
  | { readonly kind: 'gateway'; readonly gateway: string }
  | { readonly kind: 'ill-formed'; readonly problem: string };

/**
 * Reads `<gateway>.<namespace>[.svc[.<cluster domain>]]`, in any letter case, with or without a trailing dot. The last
 * label is the namespace; all before it is the Gateway's name, which may contain dots.
 */
export function readHostName(text: string, clusterDomain: string): Reading {
  const host = withoutEnd(text.toLowerCase(), '.');
  const name = withoutService(host, clusterDomain.toLowerCase());
  if (name.includes('.svc.')) {
    return illFormed(`the host name ${quoted(text)} is not of the form <gateway>.<namespace>.svc.${clusterDomain}`);
  }
  const dot = name.lastIndexOf('.');
  if (dot === -1) return illFormed(`the host name ${quoted(text)} has no namespace: <gateway>.<namespace> is expected`);
  return readGateway(name.slice(dot + 1), name.slice(0, dot), () => `the host name ${quoted(text)}`);
}

/** The same for an `:authority`, which may end with a port. */
export function readAuthority(text: string, clusterDomain: string): Reading {
  return readHostName(text.replace(/:\d{1,5}$/, ''), clusterDomain);
}

/** Reads `[<prefix>~]<namespace>~<gateway>`. The prefix says what kind of proxy it is and decides nothing. */
export function readRole(text: string): Reading {
  const parts = text.split('~');
  const [gateway = '', namespace = '', prefix] = parts.toReversed();
  if (parts.length < 2 || parts.length > 3 || prefix === '') {
    return illFormed(`the role ${quoted(text)} is not of the form [<prefix>~]<namespace>~<gateway>`);
  }
  return readGateway(namespace, gateway, () => `the role ${quoted(text)}`);
}

/** Cuts `.svc.<cluster domain>`, else `.svc`, off where a Gateway and a namespace remain. */
function withoutService(host: string, clusterDomain: string): string {
  for (const suffix of [`.svc.${clusterDomain}`, '.svc']) {
    const rest = withoutEnd(host, suffix);
    if (rest !== host && rest.includes('.')) return rest;
  }
  return host;
}

function readGateway(namespace: string, name: string, what: () => string): Reading {
  if (namespace.length > 63 || !label.test(namespace)) {
    return illFormed(`${what()} has a namespace that is no DNS-1123 label: ${quoted(namespace)}`);
  }
  if (name.length > 253 || !name.split('.').every((part) => label.test(part))) {
    return illFormed(`${what()} has a Gateway name that is no DNS-1123 subdomain: ${quoted(name)}`);
  }
  return { kind: 'gateway', gateway: `${namespace}/${name}` };
}

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

function withoutEnd(text: string, end: string): string {
  return text.endsWith(end) ? text.slice(0, -end.length) : text;
}

function illFormed(problem: string): Reading {
  return { kind: 'ill-formed', problem };
}
