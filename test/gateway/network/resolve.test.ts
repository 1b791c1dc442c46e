import { describe, expect, it } from 'vitest';
import { parseResolutions } from '../../../src/gateway/network/resolve.ts';

describe('--resolve', () => {
  it('maps a host and port to an address, and leaves other ports alone', () => {
    const resolutions = parseResolutions([
      'mcp-tool.default.svc.cluster.local:8080=127.0.0.1:3001',
      'kgateway:9977=localhost:19977',
    ]);
    expect(resolutions.find('mcp-tool.default.svc.cluster.local', 8080)).toEqual({ host: '127.0.0.1', port: 3001 });
    expect(resolutions.find('kgateway', 9977)).toEqual({ host: 'localhost', port: 19977 });
    expect(resolutions.find('kgateway', 9978)).toBeUndefined();
    expect(resolutions.find('other', 9977)).toBeUndefined();
  });

  it('compares hosts without letter case, brackets and trailing dot', () => {
    const resolutions = parseResolutions(['Tool.Example.:80=10.0.0.1:81', '[fd00::1]:80=[::1]:3001']);
    expect(resolutions.find('tool.example', 80)).toEqual({ host: '10.0.0.1', port: 81 });
    expect(resolutions.find('[FD00::1]', 80)).toEqual({ host: '::1', port: 3001 });
  });

  it('may repeat a mapping, but not map a host and port twice', () => {
    expect(() => parseResolutions(['a:1=b:2', 'A:1=b:2'])).not.toThrow();
    expect(() => parseResolutions(['a:1=b:2', 'a:1=b:3'])).toThrow('--resolve=a:1=b:3: a:1 is resolved twice');
  });

  it.each([
    '',
    'a',
    'a:1',
    'a:1=',
    '=b:2',
    'a:1=b',
    'a=b:2',
    'a:1=b:2=c:3',
    'a:0=b:2',
    'a:1=b:0',
    'a:65536=b:1',
    'a:1=::1:2',
    'a:1=[b]:2',
    'a b:1=c:2',
    'a:x=b:1',
  ])('rejects %j with an example', (value) => {
    expect(() => parseResolutions([value])).toThrow(
      `--resolve=${value}: write host:port=address:port, IPv6 addresses in brackets`,
    );
  });
});
