import { quoted } from '../../json/quoted.ts';
import type { GatewayAddress, Parsed } from '../../resources/model.ts';
import type { GatewayStatus } from '../model.ts';
import { isDnsName, isIpAddress } from '../names.ts';

/** `spec.addresses` of a Gateway, sorted by what the status says about each. The strings are sentences. */
export interface AddressesResult {
  /** Copied into `status.addresses`: the user who deploys the data plane assigns them. */
  readonly usable: GatewayStatus['addresses'];
  /** Addresses of unsupported types; any of them rejects the Gateway. */
  readonly unsupported: readonly string[];
  /** Invalid addresses; any of them makes `Programmed` false. */
  readonly unusable: readonly string[];
  /** Entries without a value: assigning addresses is not supported. */
  readonly unassigned: readonly string[];
}

/** The limit of `status.addresses` in the Gateway API. */
const mostAddresses = 16;

/** Evaluates each address on its own. */
export function evaluateAddresses(addresses: readonly Parsed<GatewayAddress>[]): AddressesResult {
  const usable: GatewayStatus['addresses'][number][] = [];
  const unsupported: string[] = [];
  const unusable: string[] = [];
  const unassigned: string[] = [];
  for (const [position, address] of addresses.entries()) {
    const field = `spec.addresses[${position}]`;
    if (!address.ok) unusable.push(address.reason);
    else if (address.value.type !== 'IPAddress' && address.value.type !== 'Hostname') {
      unsupported.push(`${field}.type is ${quoted(address.value.type)}: write IPAddress or Hostname.`);
    } else if (address.value.value === '') {
      unassigned.push(`${field}.value is empty: no address is assigned here, write one.`);
    } else if (!isUsable(address.value.type, address.value.value)) {
      const expected = address.value.type === 'IPAddress' ? 'an IPv4 or IPv6 address' : 'a DNS name';
      unusable.push(`${field}.value is ${quoted(address.value.value)}, which is not ${expected}.`);
    } else usable.push({ type: address.value.type, value: address.value.value });
  }
  return { usable: usable.slice(0, mostAddresses), unsupported, unusable, unassigned };
}

function isUsable(type: 'IPAddress' | 'Hostname', value: string): boolean {
  return type === 'IPAddress' ? isIpAddress(value) : isDnsName(value);
}
