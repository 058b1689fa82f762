/** What `-v` and `-vv` print. Tools look for the first line, and for `TARGET`, `Feature list` and `Available services`. */
import os from 'node:os';
import { FILTERS_HERE } from '../engine/config/keywords-filter.ts';
import { probeIo } from '../engine/io/choose.ts';
import { BUFSIZE_BYTES, MAXREWRITE_BYTES, WORKERS_MAX } from '../engine/limits.ts';
import { SERVICES } from '../engine/rules/actions-service.ts';
import { providers } from '../engine/tls/providers.ts';
import { featureList, RELEASE_DATE, TLS_LIBRARY, VERSION } from '../engine/version.ts';
import { processors } from './processors.ts';

/** How sockets would be served here. */
function ioLine(): string {
  const { name, reason } = probeIo('auto');
  return `Sockets are served by : ${name} (${reason})`;
}

/** The lines of `-v`. */
export function about(): string {
  return [
    `HAProxy version ${VERSION} ${RELEASE_DATE} - this is Sluice, which runs haproxy.cfg files on Node.js`,
    'Status: development version of Sluice; not made by, nor to be reported to, the HAProxy project.',
    `Running on: ${os.type()} ${os.release()} ${os.version()} ${os.machine()}`,
    '',
  ].join('\n');
}

/** The lines of `-vv`. */
export function aboutAll(): string {
  const { node, v8, uv, zlib } = process.versions;
  return `${about()}Build options :
  TARGET  = ${process.platform === 'linux' ? 'linux-glibc' : process.platform}
  CPU     = ${process.arch}
  RUNTIME = Node.js ${node}, V8 ${v8}, libuv ${uv}

Feature list : ${featureList()}

Default settings :
  bufsize = ${BUFSIZE_BYTES}, maxrewrite = ${MAXREWRITE_BYTES}

Built with multi-threading support (MAX_THREADS=${WORKERS_MAX}, default=${processors()}).
Built with OpenSSL version : ${TLS_LIBRARY}
Running on OpenSSL version : ${TLS_LIBRARY}
OpenSSL providers loaded : ${providers().join(' ')}
Running on zlib version : ${zlib}

${ioLine()}

Built with the Prometheus exporter as a service
Available services : ${Object.keys(SERVICES).join(' ')}

Available filters :
${FILTERS_HERE.map(kind => `\t${kind}`).join('\n')}
`;
}
