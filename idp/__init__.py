"""An OpenID Connect identity provider. Start reading at `idp.app.create_app`."""
