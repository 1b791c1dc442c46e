import { longerThan, type TextRule } from './scalars.ts';

/** Formats of the Kubernetes and Gateway APIs: the patterns and lengths are those of their validation. */

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const kindName = /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

/** The name of a namespace or a Service. */
export const dnsLabel: TextRule = {
  expected: 'a DNS-1123 label (at most 63 lower case letters, digits and "-", with a letter or digit at both ends)',
  test: (value) => value.length <= 63 && label.test(value),
};

/** The name of most other objects. */
export const dnsSubdomain: TextRule = {
  expected:
    'a DNS-1123 subdomain (at most 253 lower case letters, digits, "-" and ".", with a letter or digit at both ends)',
  test: isSubdomain,
};

/** A host name of the Gateway API, which may be a wildcard. */
export const listenerHostname: TextRule = {
  expected: 'a DNS-1123 host name, which may begin with "*."',
  test: (value) => value.length <= 253 && isSubdomain(value.replace(/^\*\./, '')),
};

/** The API group of a reference; empty for the core group. */
export const apiGroup: TextRule = {
  expected: 'an API group such as "gateway.networking.k8s.io", without a version',
  test: (value) => value === '' || isSubdomain(value),
};

/** The kind of a reference. */
export const apiKind: TextRule = {
  expected: 'a kind such as "Gateway" (at most 63 letters, digits and "-")',
  test: (value) => value.length <= 63 && kindName.test(value),
};

/** An ObjectName of the Gateway API: it limits the length and leaves the pattern to the referenced kind. */
export const objectName: TextRule = {
  expected: 'a name of 1 to 253 characters',
  test: (value) => value !== '' && !longerThan(253, value),
};

/** `<prefix>/<name>` or `<name>`. */
export const labelKey: TextRule = {
  expected: 'a label key (an optional DNS prefix and "/", then at most 63 letters, digits, "-", "_" and ".")',
  test: (value) => {
    const slash = value.indexOf('/');
    const name = value.slice(slash + 1);
    return (slash === -1 || isSubdomain(value.slice(0, slash))) && name.length <= 63 && qualifiedName.test(name);
  },
};

/** The value of a label; may be empty. */
export const labelValue: TextRule = {
  expected: 'a label value (at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends; or "")',
  test: (value) => value === '' || (value.length <= 63 && qualifiedName.test(value)),
};

/** Returns whether a text is encoded on the wire unchanged: no control characters, no lone surrogates. */
export function isPlain(value: string): boolean {
  return !/\p{Cc}/u.test(value) && value.isWellFormed();
}

function isSubdomain(value: string): boolean {
  return value.length <= 253 && subdomain.test(value);
}
