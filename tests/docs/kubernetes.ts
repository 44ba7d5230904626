/** What kustomize renders of deploy/kubernetes, and what the schemas of Kubernetes say of it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] };
  };
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources: { readonly requests?: object; readonly limits?: { readonly memory?: string } };
}
export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: number };
  readonly exec?: { readonly command: readonly string[] };
}
export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: {
    readonly runAsUser: number;
    readonly runAsNonRoot: boolean;
    readonly seccompProfile: { readonly type: string };
  };
  readonly initContainers?: readonly Container[];
  readonly containers: readonly [Container];
  readonly topologySpreadConstraints?: readonly {
    readonly topologyKey: string;
    readonly whenUnsatisfiable: string;
  }[];
  readonly volumes: readonly Record<string, unknown>[];
}
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: object };
  readonly spec: {
    readonly replicas?: number;
    readonly strategy?: { readonly type?: string; readonly rollingUpdate?: { readonly maxSurge?: number } };
    readonly template: { readonly spec: PodSpec };
    readonly selector: Record<string, string>;
    readonly type?: string;
    readonly externalTrafficPolicy?: string;
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly accessModes?: readonly string[];
    readonly clusterIP?: string;
    readonly sessionAffinity?: string;
    readonly minAvailable?: number;
    readonly podSelector?: {
      readonly matchExpressions?: readonly {
        readonly key: string;
        readonly operator: string;
        readonly values: readonly string[];
      }[];
    };
    readonly ingress?: readonly {
      readonly from?: readonly object[];
      readonly ports?: readonly { readonly port: number }[];
    }[];
  };
}

const kubectl = promisify(execFile);

/** Older ones know no components. */
const OLDEST = 25;

/** Why nothing can be rendered here, in capitals; false: it can. */
export async function whyNotRendered(): Promise<string | false> {
  const minor = await kubectl('kubectl', ['version', '--client', '--output=json'], { timeout: 30_000 }).then(
    ({ stdout }) =>
      Number.parseInt((JSON.parse(stdout) as { clientVersion: { minor: string } }).clientVersion.minor, 10),
    () => 0,
  );
  if (minor >= OLDEST) return false;
  return `NO KUBECTL OF 1.${OLDEST} OR LATER ON THIS MACHINE: NOTHING OF deploy/kubernetes WAS RENDERED OR CHECKED.`;
}

export async function render(folder: string): Promise<Rendered[]> {
  const { stdout } = await kubectl('kubectl', ['kustomize', folder], {
    timeout: 60_000,
    maxBuffer: 16_777_216,
  });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Rendered);
}

/** An object that remembers which of its keys a validator asked for: it asks for those that its schema names. */
function watched(value: object, asked: Map<object, Set<PropertyKey>>): object {
  const keys = new Set<PropertyKey>();
  asked.set(value, keys);
  const inner = new Map<object, object>();
  return new Proxy(value, {
    get(target, key, receiver) {
      keys.add(key);
      const found: unknown = Reflect.get(target, key, receiver);
      if (typeof found !== 'object' || found === null) return found;
      const known = inner.get(found) ?? watched(found, asked);
      inner.set(found, known);
      return known;
    },
  });
}

/** Names of the schemas of Kubernetes' own API groups. */
const GROUPS: Readonly<Record<string, string>> = {
  v1: 'Core',
  'apps/v1': 'Apps',
  'policy/v1': 'Policy',
  'networking.k8s.io/v1': 'Networking',
};

interface Schema {
  readonly validate: ((data: object) => boolean) & { readonly errors?: readonly object[] | null };
}

/** What the schema of its kind says against an object, and its keys that the schema does not name. */
export async function mistakes(object: Rendered): Promise<string[]> {
  const name = `${object.kind} ${object.metadata.name}`;
  const group = GROUPS[object.apiVersion];
  if (group === undefined) return [`${name}: no schema of ${object.apiVersion}`];
  const module = `kubernetes-models/_schemas/IoK8sApi${group}V1${object.kind}`;
  const { validate } = (await import(module)) as Schema;
  const asked = new Map<object, Set<PropertyKey>>();
  const good = validate(watched(object, asked));
  const wrong = good ? [] : (validate.errors ?? []).map((error) => `${name}: ${JSON.stringify(error)}`);
  const unknown = [...asked].flatMap(([one, keys]) =>
    Object.keys(one)
      .filter((key) => !keys.has(key))
      .map((key) => `${name}: ${key} is named by no schema`),
  );
  return [...wrong, ...unknown];
}
