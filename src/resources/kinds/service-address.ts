import { optional } from '../decode/decoder.ts';
import { DNS_SUBDOMAIN } from '../decode/formats.ts';
import { parseIp } from '../decode/ip-address.ts';
import type { Report } from '../decode/reporter.ts';
import { ANY_TEXT, oneOf, type TextRule, text } from '../decode/scalars.ts';
import type { Part, Path, ServiceAddress } from '../model.ts';
import { ok } from '../part.ts';
import { quoted } from '../path.ts';

/** The fields of a Service's spec that say where it is, as written; null is absent. */
export interface AddressFields {
  readonly type: unknown;
  readonly externalName: unknown;
  readonly clusterIP: unknown;
}

/** An IP address is no name, and `localhost` is whatever machine the gateway runs on. */
const EXTERNAL_NAME: TextRule = {
  expected: 'a DNS-1123 name whose last label begins with a letter, and neither "localhost" nor a name below it',
  test: (value) => DNS_SUBDOMAIN.test(value) && /(^|\.)[a-z][^.]*$/.test(value) && !/(^|\.)localhost$/.test(value),
};

const serviceType = optional(oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName', '']));
const externalName = text(EXTERNAL_NAME);
const clusterIp = optional(text(ANY_TEXT));

/** Where a Service is reached. Its type decides first. */
export function serviceAddress(fields: AddressFields, at: Path, report: Report): Part<ServiceAddress> {
  const type = serviceType(fields.type, [...at, 'type'], report);
  if (!type.ok) return type;
  if (type.value === 'ExternalName') {
    const name = externalName(fields.externalName, [...at, 'externalName'], report);
    return name.ok ? ok({ type: 'ExternalName', name: name.value }) : name;
  }
  const place = [...at, 'clusterIP'];
  const written = clusterIp(fields.clusterIP, place, report);
  if (!written.ok) return written;
  if (written.value === undefined || written.value === '' || written.value === 'None')
    return ok({ type: 'ClusterDNS' });
  const ip = parseIp(written.value);
  if (!ip)
    return report.error(place, `is ${quoted(written.value)}: write an IPv4 or IPv6 address, "None", or leave it out.`);
  if (ip.scope === 'other') {
    return report.error(
      place,
      `is ${ip.text}, which is no address of a Service: write a routable one, or leave it out.`,
    );
  }
  return ok({ type: 'ClusterIP', ip: ip.text, version: ip.version, loopback: ip.scope === 'loopback' });
}
