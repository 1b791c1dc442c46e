import { quoted } from '../../json/quoted.ts';
import { isLocalName } from '../../net/loopback.ts';
import { firstInvalid, ok, optional } from '../decode/decoder.ts';
import { dnsSubdomain, isPlain } from '../decode/formats.ts';
import { parseIp } from '../decode/ip-address.ts';
import type { Frame } from '../decode/kind.ts';
import type { Reporter } from '../decode/reporter.ts';
import { anyText, longerThan, oneOf, type TextRule, text } from '../decode/scalars.ts';
import type { Parsed, Path, ServiceAddress } from '../model.ts';

/** The fields of a Service's spec that decide its address, as written; undefined for null. */
export interface AddressFields {
  readonly type: unknown;
  readonly externalName: unknown;
  readonly clusterIP: unknown;
}

/** Rejects IP addresses. */
const externalNameRule: TextRule = {
  expected: 'a DNS-1123 name whose last label begins with a letter',
  test: (value) => dnsSubdomain.test(value) && /(^|\.)[a-z][^.]*$/.test(value),
};

const serviceType = optional(oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName', '']));
const externalName = text(externalNameRule);
const clusterIp = optional(text(anyText));

/**
 * Recognises `localhost`, `ip6-localhost` and the other names that every machine gives itself, and loopback addresses:
 * they would reach the machine of each gateway. The gateway refuses the same names (net/loopback.ts has the list).
 */
function isOwnMachine(value: unknown): value is string {
  return typeof value === 'string' && (isLocalName(value) || parseIp(value)?.scope === 'loopback');
}

function ownMachine(name: string): string {
  return (
    `is ${quoted(name)}, the machine of each gateway, where no target may be. For a server on yours, leave out ` +
    'spec.type and this, and start the gateway with --resolve.'
  );
}

/** Decodes the address of a Service: by `externalName` for the type ExternalName, else by `clusterIP`. */
export function serviceAddress(fields: AddressFields, path: Path, reporter: Reporter): Parsed<ServiceAddress> {
  const type = serviceType(fields.type, [...path, 'type'], reporter);
  if (!type.ok) return type;
  if (type.value === 'ExternalName') {
    const namePath = [...path, 'externalName'];
    if (isOwnMachine(fields.externalName)) return reporter.error(namePath, ownMachine(fields.externalName));
    const name = externalName(fields.externalName, namePath, reporter);
    return name.ok ? ok({ type: 'ExternalName', name: name.value }) : name;
  }
  const ipPath = [...path, 'clusterIP'];
  const written = clusterIp(fields.clusterIP, ipPath, reporter);
  if (!written.ok) return written;
  if (written.value === undefined || written.value === '' || written.value === 'None')
    return ok({ type: 'ClusterDNS' });
  const ip = parseIp(written.value);
  if (!ip) {
    const detail = `is ${quoted(written.value)}: write an IPv4 or IPv6 address, "None", or leave it out.`;
    return reporter.error(ipPath, detail);
  }
  if (ip.scope === 'other') {
    const detail = `is ${ip.text}, which is no address of a Service: write a routable one, or leave it out.`;
    return reporter.error(ipPath, detail);
  }
  return ok({ type: 'ClusterIP', ip: ip.text, version: ip.version, loopback: ip.scope === 'loopback' });
}

/** Annotations with the path of a Service's MCP servers; the first that is present counts. */
export const pathAnnotations: readonly string[] = ['kgateway.dev/mcp-path', 'agentgateway.dev/mcp-path'];

const urlPathRule: TextRule = {
  expected:
    'a path that begins with one "/" and has no "?", "#", backslash, space or control character (at most 1024 characters)',
  test: (value) => /^\/([^/?#\\\s][^?#\\\s]*)?$/.test(value) && !longerThan(1024, value) && isPlain(value),
};

const urlPath = text(urlPathRule);

/**
 * Decodes the path of a Service's MCP servers; empty without an annotation. One invalid annotation makes it invalid.
 */
export function mcpPath(annotations: Frame['annotations'], reporter: Reporter): Parsed<string> {
  if (!annotations.ok) return annotations;
  const invalid = firstInvalid(annotations.value.map(({ value }) => value));
  if (invalid) return invalid;
  for (const name of pathAnnotations) {
    const present = annotations.value.find(({ key }) => key === name);
    if (present?.value.ok) return urlPath(present.value.value, ['metadata', 'annotations', name], reporter);
  }
  return ok('');
}
