"""The door of the audit log: every act that changed something, and every refusal."""
