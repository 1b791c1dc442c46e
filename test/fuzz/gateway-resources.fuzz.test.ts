import { describe, expect } from 'vitest';
import { configDecoder, targetDecoder } from '../../src/gateway/xds/resource-kinds.ts';
import { Config } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { CertificateError, readCertificates, readPrivateKey } from '../../src/net/tls/pem.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';

/** Decodes, or returns undefined for what is refused with an Error. */
function accepted<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    expect(String(error).length).toBeLessThanOrEqual(1_000);
    return undefined;
  }
}

describe('a resource for the gateway', () => {
  fuzz('is refused, or has rules that each name a claim, a value and a resource, and nothing that is unknown', {
    corpus: new URL('./corpus/gateway-resources/', import.meta.url),
    dictionary: ['\x1a\x00', '\x22\x00', '\x28\x01', '\x30\x01', '\xff\xff\xff\xff\x7f', 'n.p'],
    run(input) {
      const config = accepted(() => configDecoder.decode('n.p', input));
      if (config !== undefined) {
        expect(config.rules.length).toBeGreaterThan(0);
        for (const { key, value, resource } of config.rules) {
          expect([key, value, resource?.id ?? ''].filter((text) => text === '')).toEqual([]);
        }
        // Nothing was skipped: what is written again means the same.
        expect(configDecoder.decode('n.p', Config.encode(config).finish())).toEqual(config);
      }
      const target = accepted(() => targetDecoder.decode('n.p', input));
      if (target !== undefined) expect([target.name, target.port > 0 && target.port < 65_536]).toEqual(['n.p', true]);
    },
  });
});

describe('a file of certificates', () => {
  fuzz('is read as a whole, or refused with the file and the line', {
    corpus: new URL('./corpus/certificates/', import.meta.url),
    dictionary: [
      '-----BEGIN CERTIFICATE-----\n',
      '-----END CERTIFICATE-----\n',
      '-----BEGIN PRIVATE KEY-----\n',
      '#',
      '\n',
      '\r\n',
    ],
    run(input) {
      const file = { path: 'tls.crt', text: input.toString() };
      for (const read of [readCertificates, readPrivateKey]) {
        try {
          read(file);
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
          expect(String(error)).toContain('tls.crt');
        }
      }
    },
  });
});
