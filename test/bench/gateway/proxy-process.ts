import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Entry file of the floor: an HTTP proxy with Node's own means, which copies bytes and looks at nothing. */

/** Sent by the process, once. */
export interface FromProxy {
  readonly kind: 'listening';
  readonly port: number;
  readonly pid: number;
}

const send = (message: FromProxy): void => void process.send?.(message);
const target = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, response) => {
  const { method, url: path, headers } = incoming;
  const options = { host: '127.0.0.1', port: target, agent, headers, ...(method && { method }), ...(path && { path }) };
  const outgoing = request(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  response.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
});

server.listen(0, '127.0.0.1', () => {
  send({ kind: 'listening', port: (server.address() as AddressInfo).port, pid: process.pid });
});
process.on('disconnect', () => process.exit());
