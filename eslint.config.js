// Lint rules, among them the import rules of docs/architecture.md: who may import whom.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const ours = [
  'bids',
  'booking',
  'calendar',
  'dicom',
  'dimse',
  'failure',
  'config',
  'database',
  'runtime',
  'orthanc',
  'records',
  'transfer',
  'sources',
  'identity',
  'notify',
  'testkit',
];
const services = ours.filter((name) => name !== 'testkit');
const streamer = services.filter((name) => name !== 'transfer');
const io = [
  'fs',
  'fs/*',
  'net',
  'tls',
  'http',
  'https',
  'http2',
  'dgram',
  'dns',
  'dns/*',
  'child_process',
  'worker_threads',
  'cluster',
  'os',
  'process',
  'sqlite',
  'timers',
  'timers/*',
  'readline',
];
const libraries = {
  'node-ical': 'calendar',
  'dcmjs-dimse': 'testkit',
  dcmjs: 'dicom',
  pg: 'database',
  nodemailer: 'notify',
};

const only = (packages) => ours.filter((name) => !packages.includes(name)).map((name) => `@scanflow/${name}`);
const libsNotOf = (owner) =>
  Object.entries(libraries)
    .filter(([, home]) => home !== owner)
    .map(([lib]) => lib);

/** Restricts one folder to the named packages of ours; `extra` adds further forbidden patterns. */
const room = (files, allowed, owner, extra = []) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: libsNotOf(owner).map((name) => ({
          name,
          message: `Only packages/${libraries[name]} imports ${name}.`,
        })),
        patterns: [
          {
            group: only(allowed).flatMap((name) => [name, `${name}/*`]),
            message: 'Against the import rules: see docs/architecture.md.',
          },
          {
            group: [
              '**/services/*',
              ...['cal2wl', 'worklist', 'receiver', 'streamer', 'dashboard', 'cli', 'demo']
                .filter((name) => owner !== 'demo' || name !== 'cli')
                .map((name) => `@scanflow/${name}*`),
            ],
            message: 'A service is never imported.',
          },
          ...extra,
        ].filter(({ group }) => group === undefined || group.length > 0),
      },
    ],
  },
});
const noIo = { group: [...io, ...io.map((name) => `node:${name}`)], message: 'Pure code: no I/O here.' };

/** For code that decides. */
const pure = [
  noIo,
  {
    regex: '^@scanflow/dimse(?!/access$)',
    message: 'Of the network, pure code imports only who may call, which is pure.',
  },
];
const beneathServices = ['booking', 'calendar', 'dicom', 'dimse', 'failure', 'identity'];
/** What decides in the streamer: a feature's folder has it beside what acts. */
const pureInStreamer = [
  ...['model/series', 'model/rule', 'model/failure', 'model/decision'],
  ...['cleanup/plan', 'commitment/plan', 'hooks/plan', 'sessions/plan'],
  ...['completeness/counts', 'completeness/lacking', 'intake/gaps'],
  ...['notices/plan', 'notices/matters-it', 'notices/matters-people'],
  ...['route', 'reading', 'evidence', 'layout'].map(inPlace),
  ...['store/disk/names', 'store/record', 'work/pace'],
];
/** A feature is a folder. What acts in it, and its SQL, is its own: work/, http/ and service.ts put the features together. */
const features = [
  ...[
    'cleanup',
    'commitment',
    'completeness',
    'copy',
    'erase',
    'hooks',
    'intake',
    'joining',
    'move',
    'notices',
  ],
  ...['rebuild', 'reports', 'roots', 'send', 'sessions', 'store', 'verify'],
];
const inside = `(?:${features.join('|')})/(?:step|rounds|sql|sql-jobs|deliver|open|wire|api)\\.ts$`;
const acting = {
  regex: `^(?:\\.\\./)+${inside}`,
  message: 'A feature does not import what acts in another one, nor its SQL: see docs/architecture.md.',
};
const upwards = {
  regex: `^\\.\\./(?:work|http|reports)/|^\\.\\./${inside}`,
  message: 'The ledger stands beneath workers and features.',
};
function inPlace(name) {
  return `store/place/${name}`;
}

export default tseslint.config(
  { ignores: ['node_modules/**', 'tests/fixtures/**', '**/*.d.ts', 'coverage/**'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js', 'scripts/compile-cache.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // deprecated so that nobody takes it lightly: it is for an identity provider on loopback alone
      '@typescript-eslint/no-deprecated': [
        'error',
        { allow: [{ from: 'package', name: 'allowInsecureRequests', package: 'openid-client' }] },
      ],
      'no-console': 'error',
      'no-restricted-globals': ['error', { name: 'Date', message: 'Times are Temporal.' }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name="process"][property.name=/^(env|argv)$/]',
          message: 'Only main.ts reads env and argv.',
        },
      ],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 15],
    },
  },
  room(['packages/bids/**/*.ts'], ['bids', 'booking', 'config', 'failure'], 'bids', [
    noIo,
    {
      regex: '^@scanflow/config(?!/yaml$)',
      message: 'Of the configuration, rules use only how YAML is read.',
    },
  ]),
  room(['packages/booking/**/*.ts'], ['booking', 'failure'], 'booking', [noIo]),
  room(['packages/dicom/**/*.ts'], ['booking', 'dicom', 'failure'], 'dicom', [noIo]),
  room(['packages/dimse/**/*.ts'], ['dicom', 'dimse', 'failure'], 'dimse'),
  room(['packages/calendar/**/*.ts'], ['booking', 'calendar', 'failure', 'runtime'], 'calendar'),
  room(['packages/failure/**/*.ts'], ['failure'], 'failure', [noIo]),
  room(['packages/database/**/*.ts'], ['database', 'failure'], 'database'),
  room(['packages/runtime/**/*.ts'], ['failure', 'runtime'], 'runtime'),
  room(['packages/config/**/*.ts'], ['booking', 'failure', 'runtime', 'config'], 'config'),
  room(['packages/identity/**/*.ts'], ['booking', 'calendar', 'failure', 'identity'], 'identity', [noIo]),
  room(['packages/records/**/*.ts'], ['booking', 'failure', 'runtime', 'records'], 'records'),
  room(
    ['packages/sources/**/*.ts'],
    ['booking', 'calendar', 'config', 'failure', 'runtime', 'sources'],
    'sources',
  ),
  room(['packages/orthanc/**/*.ts'], ['failure', 'orthanc', 'runtime'], 'orthanc'),
  room(
    ['packages/transfer/**/*.ts'],
    ['config', 'dicom', 'dimse', 'failure', 'runtime', 'orthanc', 'transfer'],
    'transfer',
  ),
  room(['packages/notify/**/*.ts'], ['config', 'failure', 'runtime', 'notify'], 'notify'),
  room(['packages/testkit/**/*.ts'], ours, 'testkit'),
  room(['services/*/src/**/*.ts'], services, 'services'),
  room(
    features.map((name) => `services/streamer/src/${name}/**/*.ts`),
    streamer,
    'services',
    [acting],
  ),
  room(['services/streamer/src/ledger/**/*.ts'], streamer, 'services', [upwards]),
  room(['services/*/src/domain/**/*.ts'], beneathServices, 'services', [
    ...pure,
    { regex: '^\\.\\./(?!domain/)', message: 'domain/ imports only its own folder.' },
  ]),
  room(
    pureInStreamer.map((path) => `services/streamer/src/${path}.ts`),
    [...beneathServices, 'bids'],
    'services',
    [
      ...pure,
      {
        regex: `^\\.{1,2}/(?!(?:.*/)?(?:types|${pureInStreamer.map((path) => path.split('/').at(-1)).join('|')})\\.ts$)`,
        message: 'What decides imports only what decides.',
      },
    ],
  ),
  room(['services/*/src/adapters/*.ts'], services, 'services', [
    { regex: '^\\./', message: 'Adapters never import each other.' },
  ]),
  // the demo starts real peers on a machine without containers, and looks like the command that starts it
  room(['demo/src/**/*.ts'], ours, 'demo'),
  room(['tests/**/*.ts', '**/*.test.ts'], ours, 'testkit'),
  {
    files: ['**/*.test.ts', 'tests/**/*.ts', 'packages/testkit/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
              package: 'node:test',
            },
          ],
        },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    files: [
      ...['services/*/src/main.ts', 'packages/runtime/src/probe.ts', 'services/*/bench/**/*.ts'],
      ...['tests/**/*.ts', 'scripts/**/*.ts'],
    ],
    rules: { 'no-restricted-syntax': 'off', 'no-console': 'off' },
  },
  // winston's types name its stream transport by an interface
  {
    files: ['packages/runtime/src/log.ts'],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
  {
    files: ['eslint.config.js'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { 'max-lines': 'off' },
  },
);
