import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { ServerCertificate, type TlsFiles } from '../../../src/net/tls/server-certificate.ts';
import type { AdsServerOptions } from '../../../src/serve/serve.ts';
import { type Authority, createAuthority, type Identity } from '../api-server/kube-certificates.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { type ServedWorld, startServedWorld } from './served-world.ts';

/** A folder with the files of a mounted Secret, which are swapped together by one link, as the kubelet does. */
export class MountedSecret {
  readonly folder: string = temporaryFolder();
  #version = 0;

  path(name: string): string {
    return join(this.folder, name);
  }

  async swap(files: Readonly<Record<string, string>>): Promise<void> {
    this.#version += 1;
    const version = `..${this.#version}`;
    await mkdir(join(this.folder, version));
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.folder, version, name), text);
    await symlink(version, join(this.folder, '..new'));
    await rename(join(this.folder, '..new'), join(this.folder, '..data'));
    if (this.#version > 1) return;
    for (const name of Object.keys(files)) await symlink(join('..data', name), join(this.folder, name));
  }
}

export interface TlsWorldOptions extends AdsServerOptions {
  readonly plaintext?: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** A served world with TLS. */
export interface TlsWorld {
  readonly world: ServedWorld;
  readonly authority: Authority;
  readonly secret: MountedSecret;
  readonly port: number;
  /** The credentials of a node that believes the authority. */
  readonly channel: ChannelCredentials;
  /** Replaces the files, and settles when the server has read them or refused them. */
  rotate(files: { readonly cert: string; readonly key: string }): Promise<void>;
}

export async function startTlsWorld({
  plaintext = false,
  minVersion,
  ...options
}: TlsWorldOptions = {}): Promise<TlsWorld> {
  const authority = createAuthority('ca of the server');
  const secret = new MountedSecret();
  const mounted = ({ cert, key }: Identity): Readonly<Record<string, string>> => ({ 'tls.crt': cert, 'tls.key': key });
  await secret.swap(mounted(authority.issue()));
  const files: TlsFiles = { cert: secret.path('tls.crt'), key: secret.path('tls.key') };
  const world = await startServedWorld(options, {}, undefined, async (edges) => {
    const certificate = await ServerCertificate.open(files, { ...edges, minVersion: minVersion ?? 'TLSv1.3' });
    onTestFinished(() => certificate.stop());
    return { tls: { certificate, plaintext }, auth: undefined };
  });
  return {
    world,
    authority,
    secret,
    port: Number(world.address.split(':')[1]),
    channel: credentials.createSsl(Buffer.from(authority.cert)),
    async rotate(identity) {
      await secret.swap(mounted(identity));
      const seen = world.log.lines.length;
      const answered = (): boolean =>
        world.log.lines.slice(seen).some(({ message }) => message.includes('TLS certificate'));
      while (!answered()) {
        world.clock.advance(1_000);
        for (let left = 200; left > 0; left -= 1) await turn();
      }
    },
  };
}
