"""The peer: oidc-agent with a home of its own, and accounts at our providers."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

from . import clock, lab as labs


class Agent:
    """A running oidc-agent. It ends with the run."""

    def __init__(self, lab, folder):
        self.lab = lab
        self.home = pathlib.Path(folder)
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(mode=0o700)
        self.token = shutil.which("oidc-token")
        self.gen = shutil.which("oidc-gen")
        agent = shutil.which("oidc-agent")
        if not (self.token and self.gen and agent):
            raise SystemExit("oidc-agent is not installed: apt-get install --no-install-recommends oidc-agent-cli")
        bare = labs.environment(self.home, TMPDIR=str(self.home))
        said = subprocess.run([agent, "--quiet"], env=bare, capture_output=True, text=True, check=True).stdout
        found = dict(re.findall(r"(OIDC_SOCK|OIDCD_PID)=([^;]+);", said))
        self.process = int(found["OIDCD_PID"])
        self.environment = {**bare, "OIDC_SOCK": found["OIDC_SOCK"]}
        self.version = subprocess.run([agent, "--version"], env=bare, capture_output=True, text=True).stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.process, signal.SIGTERM)

    def account(self, name, client, issuer=0):
        """Adds an account by a refresh token, as after a login."""
        env = {**self.environment, "RT": self.lab.minted(client, name, issuer), "PW": "a passphrase"}
        words = [self.gen, name, f"--iss={self.lab.issuers[issuer]}", f"--client-id={client}", "--manual",
                 f"--client-secret={labs.secret(client)}", "--flow=refresh", "--rt-env=RT", "--pw-env=PW",
                 "--scope=openid offline_access", "--redirect-uri=http://localhost:4242", "--prompt=none",
                 "--confirm-yes", f"--cp={self.lab.trusted}"]
        done = subprocess.run(words, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise clock.Failed(f"oidc-gen {name}: {done.stdout} {done.stderr}")

    def words(self, name, force=False):
        """The command that prints an access token."""
        return [self.token, name, "--force-new"] if force else [self.token, name]

    def asked(self, name, force=False):
        """Milliseconds until a token was printed."""
        return clock.checked(self.words(name, force), self.environment)[0]
