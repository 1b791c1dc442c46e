import { isLocalName } from '../net/loopback.ts';
import type { RuleResource } from '../resources/model.ts';
import type {
  ClaimKey,
  ClaimValue,
  Host,
  NamespaceName,
  ObjectName,
  Port,
  ResourceId,
  TargetName,
  UrlPath,
} from './model.ts';

/*
 * The only constructors of the branded types. Each checks its whole rule, although decoders checked before: this is the
 * last check before values that crash or open a data plane. They return undefined for an invalid value.
 */

/** A DNS-1123 label: the name of a namespace. */
export function namespaceName(text: string): NamespaceName | undefined {
  return isNamespaceName(text) ? text : undefined;
}

/** A DNS-1123 subdomain: the name of most objects. */
export function objectName(text: string): ObjectName | undefined {
  return isObjectName(text) ? text : undefined;
}

/** `<namespace>/<service>`, and `/<port>` for a further port. Injective: no part contains a `/`. */
export function targetName(namespace: string, service: string, further?: number): TargetName | undefined {
  if (!isLabel(service)) return undefined;
  const short = `${namespace}/${service}`;
  const name = further === undefined ? short : `${short}/${further}`;
  return isTargetName(name) ? name : undefined;
}

/** A DNS name that is no name of the own machine, an IPv4 address, or an IPv6 address in brackets. */
export function host(text: string): Host | undefined {
  return isHost(text) ? text : undefined;
}

/** An integer from 1 to 65535. */
export function port(value: number): Port | undefined {
  return isPort(value) ? value : undefined;
}

/** Empty, or the path of a URL without query and fragment. */
export function urlPath(text: string): UrlPath | undefined {
  return isUrlPath(text) ? text : undefined;
}

/** The name of a claim. */
export function claimKey(text: string): ClaimKey | undefined {
  return isClaimKey(text) ? text : undefined;
}

/** The value that a claim must equal. */
export function claimValue(text: string): ClaimValue | undefined {
  return isClaimValue(text) ? text : undefined;
}

/** `*`, or the full name of one tool, prompt or resource: `<target name>:<name>`. */
export function resourceId(name: RuleResource['name']): ResourceId | undefined {
  const id = name.all ? '*' : `${name.target}:${name.item}`;
  return isResourceId(id) ? id : undefined;
}

/** Returns whether the text is an IPv4 address, or an IPv6 address without brackets. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** Returns whether the text is a DNS name: a DNS-1123 subdomain that no resolver takes for an IPv4 address. */
export function isDnsName(text: string): boolean {
  return isSubdomain(text) && /(^|\.)[a-z][^.]*$/.test(text);
}

/** Returns whether the text is a DNS-1123 subdomain: at most 253 characters. */
export function isSubdomain(text: string): boolean {
  return text.length <= 253 && subdomainPattern.test(text);
}

const labelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const ipv4Pattern =
  /^(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}$/;

/** Characters of the longest IPv6 address, one with an IPv4 address at its end. */
const maxIpv6 = 45;

function isLabel(text: string): boolean {
  return text.length <= 63 && labelPattern.test(text);
}

function isIpv4(text: string): boolean {
  return ipv4Pattern.test(text);
}

function isIpv6(text: string): boolean {
  return text.length <= maxIpv6 && /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]/`);
}

function isNamespaceName(text: string): text is NamespaceName {
  return isLabel(text);
}

function isObjectName(text: string): text is ObjectName {
  return isSubdomain(text);
}

function isTargetName(text: string): text is TargetName {
  const [namespace = '', service = '', further, ...more] = text.split('/');
  if (!isLabel(namespace) || !isLabel(service) || more.length > 0) return false;
  return further === undefined || (/^[1-9][0-9]*$/.test(further) && isPort(Number(further)));
}

function isHost(text: string): text is Host {
  if (text.startsWith('[') && text.endsWith(']')) return isIpv6(text.slice(1, -1));
  return isIpv4(text) || (isDnsName(text) && !isLocalName(text));
}

function isPort(value: number): value is Port {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

function isUrlPath(text: string): text is UrlPath {
  return text === '' || (isText(text, 1024) && /^\/([^/?#\\\s][^?#\\\s]*)?$/.test(text));
}

function isClaimKey(text: string): text is ClaimKey {
  return isText(text, 253);
}

function isClaimValue(text: string): text is ClaimValue {
  return isText(text, 1024);
}

function isResourceId(text: string): text is ResourceId {
  if (text === '*') return true;
  return isText(text, 1024) && /^[^:*]+:./su.test(text);
}

/**
 * Accepts 1 to `limit` characters, none of them a control character. Rejects lone surrogates: they have no UTF-8
 * encoding, so that the wire would carry another text than the checked one.
 */
function isText(text: string, limit: number): boolean {
  return text !== '' && text.isWellFormed() && [...text].length <= limit && !/\p{Cc}/u.test(text);
}
