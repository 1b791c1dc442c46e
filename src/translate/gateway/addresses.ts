import type { Address, Part } from '../../resources/model.ts';
import type { GatewayStatus } from '../model.ts';
import { isDnsName, isIpAddress } from '../names.ts';
import { quote } from '../status/conditions.ts';

/** What becomes of `spec.addresses`. */
export interface AddressVerdict {
  /** Copied into the status: whoever runs the data plane vouches for them. */
  readonly usable: GatewayStatus['addresses'];
  /** Types that nobody here supports; any of them refuses the Gateway. */
  readonly unsupported: readonly string[];
  /** Values that are no address: the Gateway is not programmed. */
  readonly unusable: readonly string[];
  /** Entries without a value: assigning one is not supported. */
  readonly unassigned: readonly string[];
}

/** The limit of `status.addresses` in the API. */
const mostAddresses = 16;

/** Judges the addresses one by one. */
export function judgeAddresses(addresses: readonly Part<Address>[]): AddressVerdict {
  const usable: GatewayStatus['addresses'][number][] = [];
  const unsupported: string[] = [];
  const unusable: string[] = [];
  const unassigned: string[] = [];
  for (const [at, address] of addresses.entries()) {
    const field = `spec.addresses[${at}]`;
    if (!address.ok) unusable.push(address.reason);
    else if (address.value.type !== 'IPAddress' && address.value.type !== 'Hostname') {
      unsupported.push(`${field}.type is ${quote(address.value.type)}: write IPAddress or Hostname.`);
    } else if (address.value.value === '') {
      unassigned.push(`${field}.value is empty: no address is assigned here, write one.`);
    } else if (!isUsable(address.value.type, address.value.value)) {
      const expected = address.value.type === 'IPAddress' ? 'an IPv4 or IPv6 address' : 'a DNS name';
      unusable.push(`${field}.value is ${quote(address.value.value)}, which is not ${expected}.`);
    } else usable.push({ type: address.value.type, value: address.value.value });
  }
  return { usable: usable.slice(0, mostAddresses), unsupported, unusable, unassigned };
}

function isUsable(type: 'IPAddress' | 'Hostname', value: string): boolean {
  return type === 'IPAddress' ? isIpAddress(value) : isDnsName(value);
}
