import { describe, expect, it } from 'vitest';
import { serveFlags, serveSettings } from '../../src/cli/flags/serve-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';

const tracesUrl = (environment: Readonly<Record<string, string>>): string | undefined =>
  serveSettings(readFlags(serveFlags, ['-f', 'x.yaml'], {}), environment).tracesUrl;

describe('where traces go', () => {
  it.each([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'http://c:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/otlp/' }, 'https://c/otlp/v1/traces'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1/x' },
      'http://t:1/x',
    ],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'TRUE' }, undefined],
  ])('is read from %j', (environment, url) => {
    expect(tracesUrl({ ...environment })).toBe(url);
  });

  it.each(['otel:4318', 'not a url', 'ftp://user:hunter2@c'])('must be an http URL, and %j is not repeated', (text) => {
    const read = (): unknown => tracesUrl({ OTEL_EXPORTER_OTLP_ENDPOINT: text });
    expect(read).toThrow('OTEL_EXPORTER_OTLP_ENDPOINT is an http or https URL');
    expect(read).not.toThrow(text);
  });
});
