/**
 * deploy/kubernetes: what kustomize renders of it is what Kubernetes takes, what the Pod Security Standard "restricted" asks, and
 * what compose.yaml says of ports, mounts and users. Nothing of it was run in a cluster here.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadConfig } from '@scanflow/config';
import { parse } from 'yaml';
import { mistakes, render, whyNotRendered, type PodSpec, type Rendered } from './kubernetes.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'deploy/kubernetes');
const COMPONENTS = ['bids', 'own-postgres', 'prometheus', 'quickack'];

const skip = await whyNotRendered();
if (skip !== false) console.error(skip);

/** A facility's folder beside the base, with components. */
async function facility(t: TestContext, components: readonly string[]): Promise<Rendered[]> {
  const copy = await mkdtemp(join(tmpdir(), 'scanflow-kubernetes-'));
  t.after(() => rm(copy, { recursive: true, force: true }));
  await cp(FOLDER, copy, { recursive: true });
  const file = join(copy, 'example/kustomization.yaml');
  const lines = components.map((name) => `  - ../components/${name}`).join('\n');
  const text = await readFile(file, 'utf8');
  assert.match(text, /^components: \[\]$/m);
  await writeFile(file, text.replace(/^components: \[\]$/m, `components:\n${lines}`));
  return render(join(copy, 'example'));
}

const deployments = (objects: readonly Rendered[]): [string, Rendered['spec'], PodSpec][] =>
  objects
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata, spec }) => [metadata.name, spec, spec.template.spec]);

test('kubernetes: every rendered object is what the schemas of Kubernetes name', { skip }, async (t) => {
  for (const components of [[], ...COMPONENTS.map((one) => [one]), COMPONENTS]) {
    const objects =
      components.length === 0 ? await render(join(FOLDER, 'example')) : await facility(t, components);
    assert.ok(objects.length > 30, String(objects.length));
    assert.deepEqual((await Promise.all(objects.map(mistakes))).flat(), [], components.join());
    for (const { kind, metadata } of objects)
      if (kind !== 'Namespace') assert.equal(metadata.namespace, 'scanflow', metadata.name);
  }
});

test('kubernetes: a key or value that no schema names is found', { skip }, async () => {
  const objects = await render(join(FOLDER, 'example'));
  const found = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'worklist');
  assert.ok(found);
  const wrong = structuredClone(found) as unknown as {
    spec: { replicas: unknown; template: { spec: Record<string, unknown> } };
  };
  wrong.spec.template.spec['terminationGracePeriodSecond'] = 15;
  assert.match(
    (await mistakes(wrong as unknown as Rendered)).join(),
    /terminationGracePeriodSecond is named by no schema/,
  );
  wrong.spec.replicas = 'two';
  assert.match((await mistakes(wrong as unknown as Rendered)).join(), /replicas/);
});

test('kubernetes: pods are what the namespace admits; only quickack wants more', { skip }, async (t) => {
  const volumes = new Set(['configMap', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'secret']);
  for (const [name, , pod] of deployments(await facility(t, ['bids', 'own-postgres'])))
    assertRestricted(name, pod, volumes);
  const objects = await facility(t, ['quickack']);
  const labels = objects.find(({ kind }) => kind === 'Namespace')?.metadata.labels;
  assert.equal(
    (labels as Record<string, string>)['pod-security.kubernetes.io/enforce'],
    'privileged',
    'no other level admits NET_ADMIN',
  );
  for (const [name, , pod] of deployments(objects)) {
    assertRestricted(name, pod, volumes);
    const more = (pod.initContainers ?? []).map(({ name: one, securityContext }) => [
      one,
      securityContext.capabilities,
    ]);
    const expected = name === 'receiver' ? [['quickack', { drop: ['ALL'], add: ['NET_ADMIN'] }]] : [];
    assert.deepEqual(more, expected, name);
  }
});

function assertRestricted(name: string, pod: PodSpec, volumes: ReadonlySet<string>): void {
  assert.equal(pod.securityContext.runAsNonRoot, true, name);
  assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault', name);
  assert.equal(pod.automountServiceAccountToken, false, name);
  assert.equal(pod.enableServiceLinks, false, name);
  for (const volume of pod.volumes)
    for (const kind of Object.keys(volume).filter((key) => key !== 'name'))
      assert.ok(volumes.has(kind), `${name}: ${kind}`);
  const { securityContext: own, resources } = pod.containers[0];
  assert.deepEqual(
    [own.allowPrivilegeEscalation, own.readOnlyRootFilesystem, own.capabilities],
    [false, true, { drop: ['ALL'] }],
    name,
  );
  assert.ok(resources.requests, name);
}

interface Composed {
  readonly image: string;
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly mem_limit?: string;
  readonly environment?: Record<string, string>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

const composed = async (file: string): Promise<Record<string, Composed>> => {
  const text = (await readFile(join(ROOT, file), 'utf8')).replaceAll(/!(?:override|reset)/g, '');
  return (parse(text, { merge: true }) as { services: Record<string, Composed> }).services;
};

/** What compose mounts beside the configuration, the token and secrets: `path` or `path ro`. */
const mountsOf = ({ volumes = [] }: Composed): string[] =>
  volumes
    .map((text) => text.replaceAll(/\$\{[^}]*\}/g, 'x').split(':'))
    .map(([, path = '', mode]) => (mode === undefined ? path : `${path} ${mode}`))
    .filter((path) => !/^\/(?:etc|run)\//.test(path))
    .toSorted();

test('kubernetes: images, mounts, probes and times are those of compose.yaml', { skip }, async (t) => {
  const services = { ...(await composed('compose.yaml')) };
  const { postgres } = await composed('compose.scale.yaml');
  assert.ok(postgres);
  services['postgres'] = postgres;
  const seen = deployments(await facility(t, ['bids']));
  const longRunning = Object.keys(services).filter(
    (name) => !['secrets', 'quickack', 'backup', 'restore', 'forgotten'].includes(name),
  );
  assert.deepEqual(seen.map(([name]) => name).toSorted(), longRunning.toSorted());
  for (const [name, , pod] of seen) {
    const service = services[name];
    assert.ok(service, name);
    assertAlike(name, pod, service);
  }
});

function assertAlike(name: string, pod: PodSpec, service: Composed): void {
  const [container] = pod.containers;
  const image = service.image.replaceAll(/\$\{SCANFLOW_REGISTRY:-\}|\$\{SCANFLOW_VERSION:-(.*?)\}/g, '$1');
  assert.equal(container.image, image, name);
  const mounts = (container.volumeMounts ?? [])
    .map(({ mountPath, readOnly }) => (readOnly === true ? `${mountPath} ro` : mountPath))
    .filter((path) => !/^\/(?:etc|run|tmp|dev)(?:\/|$)/.test(path));
  assert.deepEqual(mounts.toSorted(), mountsOf(service), name);
  // Orthanc's settings; the streamer's names a folder of the host, which a cluster has not
  const set = name === 'orthanc' ? ['ORTHANC_INDEX', ...Object.keys(service.environment ?? {})] : [];
  assert.deepEqual((container.env ?? []).map((one) => one.name).toSorted(), set.toSorted(), name);
  assertLimits(name, pod, service);
  assertProbes(name, pod, service);
}

function assertLimits(name: string, pod: PodSpec, service: Composed): void {
  const { stop_grace_period: grace = '15s', mem_limit: memory = '1g' } = service;
  assert.equal(`${pod.terminationGracePeriodSeconds}s`, grace, name);
  const limit = pod.containers[0].resources.limits?.memory ?? '0';
  assert.equal(memory.replace(/^\$.*:-(.*)\}$/, '$1'), limit.replace('Mi', 'm').replace('Gi', 'g'), name);
}

function assertProbes(name: string, { containers: [container] }: PodSpec, { healthcheck }: Composed): void {
  const asked = healthcheck?.test.at(-1);
  const port = /:(\d+)\/healthz$/.exec(asked ?? '')?.[1];
  const ready = container.readinessProbe;
  if (port === undefined) assert.equal(ready?.exec?.command.at(-1), asked, name);
  else {
    assert.deepEqual(ready?.httpGet, { path: '/readyz', port: Number(port) }, name);
    assert.deepEqual(container.livenessProbe?.httpGet, { path: '/livez', port: Number(port) }, name);
  }
}

/** How many pods hold each claim at once, with those that an update starts beside the others. */
function usersOfClaims(objects: readonly Rendered[]): Map<string, number> {
  const users = new Map<string, number>();
  for (const [, { replicas = 1, strategy }, { volumes }] of deployments(objects))
    for (const volume of volumes) {
      const claim = (volume['persistentVolumeClaim'] as { claimName: string } | undefined)?.claimName;
      const surge = strategy?.rollingUpdate?.maxSurge ?? 0;
      if (claim !== undefined) users.set(claim, (users.get(claim) ?? 0) + replicas + surge);
    }
  return users;
}

test(
  'kubernetes: what runs several times shares its volumes, and scanners keep their address',
  { skip },
  async (t) => {
    const objects = await facility(t, ['bids']);
    const modes = new Map(
      objects
        .filter(({ kind }) => kind === 'PersistentVolumeClaim')
        .map(({ metadata, spec }) => [metadata.name, spec.accessModes?.[0]]),
    );
    const users = usersOfClaims(objects);
    assert.deepEqual(
      new Set(users.keys()),
      new Set(modes.keys()),
      'each claim is used, each used one is there',
    );
    for (const [claim, pods] of users)
      assert.equal(modes.get(claim), pods > 1 ? 'ReadWriteMany' : 'ReadWriteOnce', claim);
    const services = objects.filter(({ kind }) => kind === 'Service');
    const pods = new Map(deployments(objects).map(([name, , pod]) => [name, pod.containers[0]]));
    for (const { metadata, spec } of services) {
      const container = pods.get(spec.selector['app.kubernetes.io/name'] ?? '');
      assert.ok(container, metadata.name);
      for (const { port, targetPort } of spec.ports ?? [])
        assert.equal(
          container.ports?.find(({ name }) => name === targetPort)?.containerPort,
          port,
          `${metadata.name} ${targetPort}`,
        );
    }
    const outside = services.filter(({ spec }) => spec.type === 'LoadBalancer');
    assert.deepEqual(
      outside
        .map(({ metadata, spec }) => [metadata.name, spec.externalTrafficPolicy, spec.sessionAffinity])
        .toSorted(),
      [
        ['receiver-dicom', 'Local', 'ClientIP'],
        ['worklist-dicom', 'Local', undefined],
      ],
    );
  },
);

test(
  'kubernetes: worklist and receiver run twice, on two nodes where there are two, and one of them stays',
  { skip },
  async () => {
    const objects = await render(join(FOLDER, 'example'));
    for (const name of ['worklist', 'receiver']) {
      const [, spec, pod] = deployments(objects).find(([one]) => one === name) ?? [];
      assert.ok(spec && pod);
      assert.deepEqual([spec.replicas, spec.strategy?.rollingUpdate], [2, { maxUnavailable: 0 }], name);
      assert.deepEqual(
        pod.topologySpreadConstraints?.map(({ topologyKey, whenUnsatisfiable }) => [
          topologyKey,
          whenUnsatisfiable,
        ]),
        [['kubernetes.io/hostname', 'ScheduleAnyway']],
        name,
      );
      // an update takes none away before the other gets its scanners
      const { command } = pod.containers[0].lifecycle?.preStop.exec ?? {};
      assert.ok(command?.[0] === 'sleep' && Number(command[1]) + 5 < pod.terminationGracePeriodSeconds, name);
      const named = objects.find((one) => one.kind === 'Service' && one.metadata.name === name);
      assert.equal(named?.spec.clusterIP, 'None', name);
      const budget = objects.find((one) => one.kind === 'PodDisruptionBudget' && one.metadata.name === name);
      assert.equal(budget?.spec.minAvailable, 1, name);
    }
  },
);

test(
  'kubernetes: Prometheus reaches the ports with metrics, and only with its component',
  { skip },
  async (t) => {
    const objects = await facility(t, ['bids', 'prometheus']);
    const policies = (found: readonly Rendered[]): Rendered[] =>
      found.filter(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'metrics');
    assert.deepEqual(policies(await facility(t, ['bids'])), []);
    const [policy] = policies(objects);
    const serves = deployments(objects).filter(([name]) => name !== 'orthanc' && name !== 'postgres');
    const [rule, ...more] = policy?.spec.ingress ?? [];
    assert.deepEqual(more, []);
    assert.deepEqual(rule?.from, [{ namespaceSelector: { matchLabels: { 'scanflow.metrics': 'read' } } }]);
    const ports = serves.map(([, , pod]) => pod.containers[0].ports?.find(({ name }) => name === 'http'));
    assert.deepEqual(
      rule.ports?.map(({ port }) => port).toSorted(),
      ports.map((one) => one?.containerPort).toSorted(),
    );
    const { matchExpressions } = policy?.spec.podSelector ?? {};
    const [chosen, ...others] = matchExpressions ?? [];
    assert.deepEqual(others, []);
    assert.deepEqual(
      [chosen?.key, chosen?.operator, chosen?.values.toSorted()],
      ['app.kubernetes.io/name', 'In', serves.map(([name]) => name).toSorted()],
    );
  },
);

test(
  'kubernetes: what leads by a lease is replaced beside the one that leads; the rest never runs twice by mistake',
  { skip },
  async () => {
    const kinds = deployments(await render(join(FOLDER, 'example'))).map(
      ([name, { replicas = 1, strategy }]) => [name, replicas, strategy?.type ?? 'RollingUpdate'].join(' '),
    );
    assert.deepEqual(kinds.toSorted(), [
      'cal2wl 1 RollingUpdate',
      'dashboard 1 RollingUpdate',
      'orthanc 1 Recreate',
      'postgres 1 Recreate',
      'receiver 2 RollingUpdate',
      'streamer 3 RollingUpdate',
      'worklist 2 RollingUpdate',
    ]);
  },
);

test('kubernetes: the example’s configuration is good', async () => {
  const loaded = await loadConfig(join(FOLDER, 'example/scanflow.yaml'));
  assert.ok(loaded.ok, JSON.stringify(loaded));
  assert.equal(loaded.config.ledger.url?.startsWith('postgresql://scanflow@postgres:5432/'), true);
  assert.equal(loaded.config.ledger.cal2wl?.user, 'cal2wl');
});
