"""What is measured: a toktui with a home of its own, its store filled and unlocked without a person."""

import os
import pathlib
import shutil
import subprocess

from . import clock, lab as labs

PASSPHRASE = "correct horse battery staple"


class Board:
    """A store of its own below `folder`. Provider `p0`, `p1`, … is issuer 0, 1, … of the lab."""

    def __init__(self, lab, folder, binary, clients):
        self.lab = lab
        self.binary = binary
        self.home = pathlib.Path(folder)
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / "config").mkdir(parents=True)
        self.home.chmod(0o700)
        self.environment = labs.environment(self.home, TOKTUI_HOME=str(self.home), SSL_CERT_FILE=str(lab.trusted))
        # The superuser's kernel keyring is used only where that was said, and a benchmark may well run as root.
        text = "[store]\nsession = true\n\n"
        for number, client in clients.items():
            key = self.home / f"secret-{number}"
            key.write_text(labs.secret(client))
            key.chmod(0o600)
            text += (
                f'[provider.p{number}]\nname = "Provider {number}"\nissuer = "{lab.issuers[number]}"\n'
                f'client_id = "{client}"\nclient_secret_file = "{key}"\nauth = "client_secret_basic"\n'
                'scopes = ["openid", "offline_access"]\nroutes = ["device"]\n\n'
            )
        (self.home / "config" / "config.toml").write_text(text)

    def fill(self, accounts):
        """Makes the store, unlocked for the session, and logs in: `accounts` tells the issuer of each name."""
        self.do("store", "init", "--passphrase", "-", feed=PASSPHRASE + "\n")
        waiting = list(accounts.items())
        while waiting:
            # Some at a time: each waits a while for its device code.
            now, waiting = waiting[:16], waiting[16:]
            started = [(name, self.start("login", f"p{issuer}", "--name", name, "--no-input", "--no-browser")) for name, issuer in now]
            for name, login in started:
                if login.wait(timeout=120) != 0:
                    raise SystemExit(f"toktui login {name} ended with {login.returncode}: see {self.home / 'errors'}")

    def start(self, *words):
        """A command beside others."""
        return subprocess.Popen([self.binary, *words], env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=open(self.home / "errors", "ab"))

    def do(self, *words, feed="", limit=60):
        """A command that prepares: it must succeed."""
        done = subprocess.run([self.binary, *words], env=self.environment, input=feed, capture_output=True, text=True, timeout=limit)
        if done.returncode != 0:
            raise clock.Failed(f"toktui {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def words(self, *words):
        """A measured command."""
        return [self.binary, *words]

    def asked(self, *words):
        """Milliseconds of a command that must succeed and say something."""
        return clock.checked(self.words(*words), self.environment)[0]


def built(root):
    """The binary that a user would install."""
    words = ["cargo", "build", "--release", "--quiet"]
    subprocess.run(words, cwd=root, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", str(pathlib.Path(root) / "target"))
    return str(pathlib.Path(target) / "release" / "toktui")
