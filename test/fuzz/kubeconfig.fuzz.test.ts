import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { readClientConfig } from '../../src/kube/kubeconfig/client-config.ts';
import { KubeConfigError } from '../../src/kube/kubeconfig/kubeconfig-error.ts';
import { fuzz } from '../support/fuzz/fuzz.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** In the corpus, every credential. */
const secret = 'secret-credential';

describe('a kubeconfig', () => {
  let path = '';
  fuzz('names a server to send credentials to, or is refused without a quotation of what is no kubeconfig', {
    corpus: new URL('./corpus/kubeconfig/', import.meta.url),
    dictionary: [
      '---\n',
      '- ',
      ': ',
      '&a ',
      '*a',
      '<<: ',
      'server: http://a',
      'as: ',
      'insecure-skip-tls-verify: true',
      '\t',
      '\xff',
    ],
    run(input) {
      // The library takes seconds for dozens of nested flow collections without an end. The file is the operator's own.
      if (input.length > 4_096 || /(?:[[{][^\]}]*){12}|(?:- ){12}/.test(input.toString('latin1'))) return;
      if (path === '') path = join(temporaryFolder(), 'config');
      writeFileSync(path, input);
      try {
        const { server, cluster, user } = readClientConfig({ by: 'kubeconfig', path, context: undefined });
        expect(['https:', 'http:']).toContain(server.protocol);
        if (server.protocol === 'http:') expect(cluster.skipTLSVerify).toBe(true);
        expect(user).toMatchObject({ unsupported: undefined });
      } catch (error) {
        expect(error).toBeInstanceOf(KubeConfigError);
        // Other messages quote names, and a mutation may have made a name of a credential.
        if (String(error).includes(' is none: ')) expect(String(error)).not.toContain(secret);
      }
    },
  });
});
