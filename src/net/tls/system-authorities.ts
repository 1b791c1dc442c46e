import { getCACertificates } from 'node:tls';

/**
 * Returns the authorities that count where no file names others, PEM: those of Node, which NODE_EXTRA_CA_CERTS extends, and
 * those of the operating system, which Node alone leaves out. Reads the latter at the first call.
 */
export function systemAuthorities(): readonly string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}
