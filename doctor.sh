#!/bin/sh
# The doctor for the whole compose stack, in one call on the host: `sh doctor.sh`. Also where a container does not start:
# it shows the last words of that container, and looks at what belongs to it in a container of its own.
# Options go to each `scanflow doctor`. Each reads the configuration that its service reads, unless --config names another. As for
# every docker compose command, .env, COMPOSE_FILE and COMPOSE_PROJECT_NAME count.
# Exit: 0 nothing failed (there may be warnings), 1 something failed, 2 not started.
set -u
[ -n "${COMPOSE_FILE:-}" ] || cd "$(dirname "$0")" || exit 2
services=$(docker compose config --services) || exit 2
said=$(mktemp) || exit 2
trap 'rm -f "$said"' EXIT
failed='' warned='' sums=''

# keeps the last line for the end
sum() { # sum SERVICE TEXT
  sums="$sums$(printf '%-11s %s' "$1" "$2")
"
}
bad() { # bad SERVICE
  case " $failed " in *" $1 "*) ;; *) failed="$failed $1" ;; esac
}
state_of() { docker inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{with .State.Health}}{{.Status}}{{end}}' "$1"; }

# why a container does not run: the last error of its log, else its last line
last_words() { # last_words ID
  docker logs --tail 200 "$1" >"$said" 2>&1
  if grep -qE '^E[0-9]{4} ' "$said"; then
    # Orthanc: errors, without time and place. The first of a start has the cause, and the last says that it ends
    sed -nE 's/^E[0-9]{4} [^]]*\] /    /p' "$said" | tail -4 | awk '!seen[$0]++'
    return
  fi
  { grep -E '"level":"error"|^[a-z]+: ' "$said" || cat "$said"; } | tail -1 | spoken
}

# a line of a log as a sentence: what happened, and what to do. Other lines stay
spoken() {
  # 1: quotes of a value to \001, so that the next quote ends it
  awk '{
    line = $0
    if (line ~ /^\{"time":/) {
      gsub(/\\"/, "\001", line)
      said = value(line, "message"); todo = value(line, "todo")
      if (said == "") said = value(line, "event")
      line = said (todo == "" ? "" : " → " todo)
      gsub(/\001/, "\"", line)
      gsub(/\\n/, "\n    ", line)
    }
    print "    " line
  }
  function value(text, key) {
    if (!match(text, "\"" key "\":\"[^\"]*\"")) return ""
    return substr(text, RSTART + length(key) + 4, RLENGTH - length(key) - 5)
  }'
}

# the options for the doctor of a service: the configuration that its container reads, unless some were given
config_of() { # config_of SERVICE
  id=$(docker compose ps --all --quiet "$1" | head -1)
  [ -z "$id" ] || docker inspect --format '{{range .Config.Cmd}}{{println .}}{{end}}' "$id" |
    awk 'found { print; exit } $0 == "--config" { found = 1 }'
}

# the containers of a service; prints what is wrong. Answers whether one runs
look() { # look SERVICE
  runs=no
  ids=$(docker compose ps --all --quiet "$1")
  [ -n "$ids" ] || echo "FAILED   $1 has no container. → docker compose up -d --wait"
  for id in $ids; do
    read -r status code restarts health <<EOF
$(state_of "$id")
EOF
    case $status/$code/$health in
      running/*/starting)
        # seen between two ends, it may be gone before anything is asked in it
        if [ "$restarts" = 0 ]; then runs=yes; else
          echo "FAILED   $1 starts again and again, $restarts times so far. Its last words:"
          last_words "$id"
        fi
        ;;
      running/*/unhealthy)
        runs=yes
        echo "FAILED   $1 runs, and is not well:"
        docker inspect --format '{{range .State.Health.Log}}{{println .Output}}{{end}}' "$id" | grep . | tail -1 | sed 's/^/    /'
        ;;
      running/*) runs=yes ;;
      created/*) echo "FAILED   $1 was not started, as something that it waits for did not start. → See the others." ;;
      exited/0/*) case $1 in secrets | quickack) runs=yes ;; *) echo "FAILED   $1 was stopped. → docker compose up -d --wait" ;; esac ;;
      *)
        echo "FAILED   $1 does not start: $status, exit code $code. Its last words:"
        last_words "$id"
        ;;
    esac
  done
}

# Compose reads compose.override.yaml only where neither -f nor COMPOSE_FILE names files
override=''
if [ -f compose.override.yaml ]; then
  for id in $(docker compose ps --all --quiet); do
    case $(docker inspect --format '{{index .Config.Labels "com.docker.compose.project.config_files"}}' "$id") in
      *compose.override.yaml*) ;;
      *) override=missing ;;
    esac
  done
fi

for service in $services; do
  found=$(look "$service"; echo "$runs")
  runs=${found##*
}
  trouble=${found%"$runs"}
  echo "--- $service"
  [ -z "$trouble" ] || { printf '%s' "$trouble"; bad "$service"; }
  case $service in
    cal2wl | worklist | receiver | streamer | dashboard) ;;
    *)
      if [ -z "$trouble" ]; then sum "$service" well; else sum "$service" 'Something is wrong'; fi
      continue
      ;;
  esac
  case " $* " in
    *' --config'*) config='' ;;
    *) config=$(config_of "$service") ;;
  esac
  if [ "$runs" = yes ]; then
    docker compose exec -T "$service" scanflow doctor --here ${config:+--config "$config"} "$@" >"$said" 2>&1
    code=$?
    # it ended meanwhile
    [ -s "$said" ] || runs=no
  fi
  if [ "$runs" = no ]; then
    docker compose run --rm --no-deps -T "$service" scanflow doctor --here ${config:+--config "$config"} "$@" >"$said" 2>&1
    code=$?
  fi
  cat "$said"
  last=$(tail -1 "$said")
  [ "$code" = 0 ] || bad "$service"
  case $last in Works,*) warned="$warned $service" ;; esac
  sum "$service" "$last"
done

printf '\n%s\n' "$sums"
if [ -n "$override" ]; then
  echo 'warning: containers were made without compose.override.yaml, since -f or COMPOSE_FILE names other files only.'
  echo '         → Name it in .env, too: COMPOSE_FILE=compose.yaml:…:compose.override.yaml. Then: docker compose up -d --wait'
  warned="$warned compose.override.yaml"
fi
if [ -n "$failed" ]; then
  echo "Something is wrong:$failed"
  exit 1
fi
if [ -n "$warned" ]; then echo "Works, with warnings:$warned"; else echo 'Nothing is wrong'; fi
