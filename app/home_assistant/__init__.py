"""The way to Home Assistant by MQTT: what it is told of us, the topics, and the connection to the broker.

What the state holds comes from app/overview/home; what a command does is in app/jobs/commands.py.
"""
