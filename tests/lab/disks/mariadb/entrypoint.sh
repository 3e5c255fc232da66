#!/bin/sh
# Start MariaDB as the user mysql on /var/lib/mysql, which is filled on the first start.
set -eu
data=/var/lib/mysql
run=/run/mariadb

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$run/tmp"
    chown -R mysql:mysql "$run"
    # Only what isn't its own yet: a restored copy is started without a change to its files.
    find "$data" ! -user mysql -exec chown -h mysql:mysql {} +
    exec setpriv --reuid=mysql --regid=mysql --init-groups --inh-caps=-all "$0" "$@"
fi

chmod 0700 "$data"

# The mark stays only if a first start was cut off: then what it left is worth nothing.
if [ -e "$data/.unfinished" ]; then
    find "$data" -mindepth 1 -maxdepth 1 ! -name .unfinished ! -name lost+found -exec rm -rf {} +
fi
if [ -e "$data/.unfinished" ] || [ ! -d "$data/mysql" ]; then
    : >"$data/.unfinished"
    mariadb-install-db --defaults-file=/etc/mysql/lab.cnf --skip-test-db --skip-log-bin >/dev/null
    sync -f "$data"
    rm "$data/.unfinished"
fi

# Set on every start, so that a restored copy takes the password of its own pod. Not binlogged:
# copies are compared by their binlog.
umask 077
quoted=$(printf %s "${MARIADB_ROOT_PASSWORD:?is required}" | sed "s/[\\\\']/\\\\&/g" | tr -d '\n')
for host in localhost %; do
    printf "CREATE OR REPLACE USER root@'%s' IDENTIFIED BY '%s';\n" "$host" "$quoted"
    printf "GRANT ALL ON *.* TO root@'%s' WITH GRANT OPTION;\n" "$host"
done | { echo "SET sql_log_bin = 0;"; cat; } >"$run/users.sql"

exec mariadbd --defaults-file=/etc/mysql/lab.cnf --init-file="$run/users.sql" "$@"
