/** Rules and the requests that meet them: the same on HAProxy and here, response for response, byte for byte. */

export interface Scenario {
  readonly name: string;
  /** Lines of the frontend and of the backend. */
  readonly front?: readonly string[];
  readonly back?: readonly string[];
  /** Other sections. */
  readonly more?: string;
  /** Requests, each on a connection of its own: what follows the method, or whole heads. */
  readonly requests: readonly string[];
}

const HEAD = 'host: h.example\r\n';

/** A GET with headers. */
export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\n${HEAD}${headers}\r\n`;
}

function post(path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\n${HEAD}${headers}content-length: ${body.length}\r\n\r\n${body}`;
}

/** Without conditions: HAProxy 2.6 takes another normalizer when one follows some of these names. */
const NORMALIZED: readonly Scenario[] = (
  [
    ['path-merge-slashes', '// /foo//bar ///a///b//?x//y /a'],
    ['path-strip-dot', '/. /./bar/ /a/./a /.well-known/ /a/. /./ /a/./. /./.?q'],
    [
      'path-strip-dotdot',
      '/foo/../ /foo/../bar/ /foo/bar/../ /../bar/ /bar/../../ /foo//../ /foo/%2E%2E/ /foo/.. /.. /a/b/../../c /a/..b/c',
    ],
    ['path-strip-dotdot full', '/../bar/ /bar/../../ /.. /../.. /a/../../b/.. /a/b/..'],
    ['percent-decode-unreserved', '/%61dmin /foo%3Fbar=baz /%%36%36 /%ZZ /%7e%7E /a?%41=%42'],
    ['percent-decode-unreserved strict', '/%61 /%%36%36 /%ZZ /a% /a%1'],
    ['percent-to-uppercase', '/%6f /%zz /%aG%ab /?%ab'],
    ['percent-to-uppercase strict', '/%6f /%zz'],
    ['query-sort-by-name', '/?c=3&a=1&b=2 /?aaa=3&a=1&aa=2 /?a=3&b=4&a=1&b=5&a=2 /?&b&a /?b=1&a /x'],
  ] as const
).map(([name, paths]) => ({
  name: `normalize-uri ${name}`,
  more: 'global\n expose-experimental-directives\n',
  front: [`http-request normalize-uri ${name}`],
  requests: paths.split(' ').map(path => get(path)),
}));

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'deny',
    front: [
      'http-request deny if { path /a }',
      'http-request deny deny_status 429 if { path /b }',
      'http-request deny deny_status 404 if { path /e }',
      'http-request deny status 418 content-type text/plain string "teapot" hdr x-a b if { path /c }',
      'http-request deny status 404 if { path_beg /d }',
    ],
    back: ['http-request deny if { path /back }'],
    requests: [get('/a'), get('/b'), get('/c'), get('/d/x'), get('/e'), get('/back'), get('/ok'), post('/a', 'hello')],
  },
  {
    name: 'return',
    front: [
      'http-request return if { path /a }',
      'http-request return status 201 if { path /b }',
      'http-request return content-type text/plain string "hello" hdr x-a b hdr x-c "%[path]" if { path /c }',
      'http-request return content-type text/plain lf-string "p=%[path]  %% %[req.hdr(nope)]|" if { path /d }',
      'http-request return status 503 default-errorfiles if { path /e }',
      'http-request return status 299 content-type a/b string x if { path /f }',
    ],
    requests: ['/a', '/b', '/c', '/d', '/e', '/f', '/g'].map(path => get(path)),
  },
  {
    name: 'redirect',
    front: [
      'http-request redirect location /x if { path /a }',
      'http-request redirect prefix http://p code 301 if { path_beg /pre }',
      'http-request redirect prefix http://p drop-query append-slash code 301 if { path_beg /dro }',
      'http-request redirect prefix / set-cookie A=1 if { path_beg /self }',
      'http-request redirect scheme https code 303 if { path_beg /sch }',
      'http-request redirect location /x set-cookie SEEN=1 if { path /setc }',
      'http-request redirect location /x clear-cookie USER= if { path /clr }',
      'http-request redirect location /l%[path] code 307 if { path /lf }',
      'http-request redirect location "%[req.hdr(x-to)]" ignore-empty code 308 if { path /empty }',
      'redirect location /afterwards if { path /line }',
      'redirect scheme https if { hdr(x-tls) -m found }',
    ],
    back: ['redirect location /%[path]/raw code 303 if { path /braw }'],
    requests: [
      ...['/a', '/pre?a=1', '/dro?a=1', '/dro/', '/self?x', '/sch?x', '/setc', '/clr', '/lf', '/line', '/braw'].map(p =>
        get(p),
      ),
      get('/empty'),
      get('/empty', 'x-to: /there\r\n'),
      get('/z?q=1', 'x-tls: 1\r\n'),
      post('/a', 'body'),
      'GET /a HTTP/1.0\r\n\r\n',
      'HEAD /a HTTP/1.1\r\nhost: a\r\n\r\n',
    ],
  },
  {
    name: 'headers',
    front: [
      'http-request set-header X-Set "%[req.hdr(x-set)] more"',
      'http-request add-header X-Add one',
      'http-request add-header X-Add two',
      'http-request del-header x-gone',
      'http-request del-header x-pre -m beg',
      'http-request del-header y$ -m reg',
      'http-request replace-header x-rep ^(.)(.*)$ "\\2\\1"',
      'http-request replace-value x-list b c',
      'http-request set-header host other if { path /host }',
    ],
    back: [
      'http-request set-header x-back "%[req.hdr(x-set)]|%HM %HP"',
      'http-response set-header x-resp "%[status]"',
      'http-response del-header x-server',
      'http-response add-header set-cookie a=b',
      'http-response replace-header x-echo e E',
    ],
    requests: [
      get(
        '/',
        'x-set: 1\r\nx-set: 2\r\nx-gone: a\r\nX-Gone: b\r\nx-prefix: a\r\nany: c\r\nx-rep: abc\r\nx-list: a, b ,b\r\n',
      ),
      get('/host'),
    ],
  },
  {
    name: 'target',
    front: [
      'http-request set-path /new if { path /p }',
      'http-request set-query a=b if { path /q }',
      'http-request set-query %[req.hdr(nope)] if { path /noq }',
      'http-request set-pathq /n?w if { path /pq }',
      'http-request set-uri http://xx/yy?z if { path /u }',
      'http-request set-method FOO if { path /m }',
      'http-request replace-path ^/rp/(.*)$ /\\1/x if { path_beg /rp }',
      'http-request replace-pathq "([^?]*)(\\?(.*))?" \\1/foo\\2 if { path_beg /rq }',
      'http-request replace-uri ^/ru(.*)$ /uu\\1 if { path_beg /ru }',
    ],
    requests: ['/p?x=1', '/q?x', '/q', '/noq?x', '/pq?x', '/u', '/m', '/rp/a?b', '/rq/a?b', '/rq/a', '/ru/a?b'].map(
      path => get(path),
    ),
  },
  ...NORMALIZED,
  {
    name: 'responses',
    front: [
      'http-response set-header x-order "%[res.hdr(x-order)] front"',
      'http-after-response set-header x-after "%[status]"',
      'http-after-response set-header x-order "%[res.hdr(x-order)] after-front"',
      'http-request deny if { path /deny }',
      'http-request return content-type a/b string x if { path /ret }',
      'http-request redirect location /r if { path /red }',
    ],
    back: [
      'http-request set-var(txn.path) path',
      'http-response set-header x-order back',
      'http-response deny if { var(txn.path) -m str /rdeny }',
      'http-response deny deny_status 404 if { var(txn.path) -m str /rdeny404 }',
      'http-response return status 201 content-type text/plain string abc if { var(txn.path) -m str /rret }',
      'http-response redirect location /z if { var(txn.path) -m str /rred }',
      'http-response set-status 299 if { var(txn.path) -m str /st }',
      'http-response set-status 503 reason "Slow Down" if { var(txn.path) -m str /st2 }',
      'http-after-response set-header x-order "%[res.hdr(x-order)] after-back"',
    ],
    requests: ['/', '/deny', '/ret', '/red', '/rdeny', '/rdeny404', '/rret', '/rred', '/st', '/st2'].map(path =>
      get(path),
    ),
  },
  {
    name: 'flow',
    front: [
      'acl local src 127.0.0.0/8',
      'acl admin path_beg /admin',
      'acl admin hdr(x-admin) -m found',
      'http-request allow if { path /allowed }',
      'http-request set-header x-seen front',
      'http-request deny if admin !{ hdr(x-ok) 1 }',
      'http-request tarpit if { path /tar }',
      'http-request tarpit deny_status 429 if { path /tar429 }',
      'http-request reject if { path /reject }',
      'http-request auth realm "my realm" if { path /auth }',
      'http-request auth if { path /auth2 }',
      'timeout tarpit 50ms',
    ],
    back: ['http-request allow if { path /ballow }', 'http-request set-header x-seen "%[req.hdr(x-seen)] back"'],
    requests: [
      ...['/', '/allowed', '/ballow', '/admin/x', '/tar', '/tar429', '/reject', '/auth', '/auth2'].map(path =>
        get(path),
      ),
      get('/', 'x-admin: 1\r\n'),
      get('/admin', 'x-ok: 1\r\n'),
    ],
  },
  {
    name: 'authentication',
    more: 'userlist people\n group staff users bob\n user ann insecure-password secret\n user bob insecure-password hunter2\n',
    front: [
      'http-request auth realm staff if { path /staff } !{ http_auth_group(people) staff }',
      'http-request auth unless { http_auth(people) }',
    ],
    requests: [
      get('/'),
      get('/', 'authorization: Basic YW5uOnNlY3JldA==\r\n'),
      get('/staff', 'authorization: Basic YW5uOnNlY3JldA==\r\n'),
      get('/staff', 'authorization: Basic Ym9iOmh1bnRlcjI=\r\n'),
      get('/', 'authorization: Basic YW5uOndyb25n\r\n'),
      get('/', 'authorization: Bearer x\r\n'),
    ],
  },
  {
    name: 'variables and captures',
    front: [
      'declare capture request len 5',
      'capture request header x-cap len 4',
      'http-request set-var(txn.a) path',
      'http-request set-var(txn.b,ifnotexists) path',
      'http-request set-var(txn.b,ifnotexists) str(no)',
      'http-request set-var-fmt(txn.c) "<%[path]>"',
      'http-request unset-var(txn.a) if { path /un }',
      'http-request capture req.hdr(x-long) id 0',
      'http-request set-header x-vars "%[var(txn.a)] %[var(txn.b)] %[var(txn.c)]"',
      'http-request set-header x-cap "%[capture.req.hdr(0)] %[capture.req.hdr(1)]"',
    ],
    requests: [get('/a'), get('/un'), get('/', 'x-long: abcdefghij\r\nx-cap: 123456\r\n')],
  },
  {
    name: 'error pages',

    front: [
      'http-error status 403 content-type text/plain string "no entry" hdr x-why rules',
      'http-error status 404 content-type text/plain string "nothing here"',
      'http-request deny if { path /a }',
      'http-request return status 404 default-errorfiles if { path /b }',
      'http-request deny deny_status 400 if { path /c }',
    ],
    requests: [get('/a'), get('/b'), get('/c')],
  },
  {
    name: 'choosing',
    front: ['use_backend other if { path_beg /o }', 'use_backend %[req.hdr(x-be)] if { hdr(x-be) -m found }'],
    back: ['use-server second if { path /two }', 'use-server second if { hdr(x-srv) 2 }'],
    requests: [
      get('/'),
      get('/o'),
      get('/', 'x-be: other\r\n'),
      get('/', 'x-be: nosuch\r\n'),
      get('/two'),
      get('/', 'x-srv: 2\r\n'),
    ],
  },
  {
    name: 'lengths, codings and connections',
    front: [
      'http-request del-header content-length if { path /chunks }',
      'http-request set-header content-length 5 if { path /same }',
      'http-request add-header content-length 9 if { path /add }',
      'http-request set-header connection close if { path /close }',
      'http-request set-header x-seen "%[req.hdr(connection)] %[req.hdr_cnt(upgrade)]"',
      'http-request set-header content-length 7 if { method GET }',
    ],
    requests: [
      post('/chunks', 'hello'),
      post('/same', 'hello'),
      post('/add', 'hello'),
      get('/close'),
      get('/', 'connection: keep-alive, x-a\r\n'),
      post('/', 'hello', 'connection: upgrade\r\nupgrade: foo\r\n'),
    ],
  },
  {
    // The size of the chunk has no letters: HAProxy writes them in upper case.
    name: 'lengths of responses',
    front: [
      'http-request set-var(txn.p) path',
      'http-response set-header connection close if { var(txn.p) -m str /close }',
    ],
    back: [
      'http-response wait-for-body time 1s if { var(txn.p) -m str /wait }',
      'http-response set-header x-body "%[res.body,length] %[res.body_size]" if { var(txn.p) -m str /wait }',
      'http-response deny if { var(txn.p) -m str /deny } { res.body_len gt 0 }',
      'http-response del-header content-length if { var(txn.p) -m str /all-chunks }',
      'http-response set-status 204 if { var(txn.p) -m str /none }',
    ],
    requests: [get('/close'), get('/wait'), get('/all-chunks'), get('/none'), get('/plain')],
  },
  {
    name: 'rewrites without room and other failures',
    front: [
      'http-request set-header content-length 3 if { path /scl }',
      'http-request strict-mode off if { path /off }',
      'http-request early-hint link "<a>; rel=preload" if { path /hint }',
      'http-request early-hint link "<b>; rel=preload" if { path /hint }',
      'http-request wait-for-body time 500ms if { method POST }',
      'http-request set-header x-body "%[req.body] %[req.body_len]" if { method POST }',
      'http-request deny if { req.body -m sub attack }',
    ],
    requests: [
      post('/scl', 'hello'),
      get('/off'),
      get('/hint'),
      post('/', 'hello'),
      post('/', 'an attack'),
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
    ],
  },
];
